/** Bun's own cap on simultaneous requests, past which `fetch` holds them back unseen. */
import type { LoadTestSettings } from "./settings.ts";

/**
 * Lets `fetch` keep LT_CONCURRENCY requests in flight. Bun reads its cap from the environment as it
 * starts and not again, so where the cap is too low this process is replaced by itself (same id, same
 * terminal, same arguments) with a higher one, and the call does not return.
 */
export function ensureRequestCap({ LT_CONCURRENCY, BUN_CONFIG_MAX_HTTP_REQUESTS }: LoadTestSettings): void {
  if (BUN_CONFIG_MAX_HTTP_REQUESTS >= LT_CONCURRENCY) return;
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    BUN_CONFIG_MAX_HTTP_REQUESTS: String(LT_CONCURRENCY),
  });
}
