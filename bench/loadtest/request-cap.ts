/** Bun's own cap on simultaneous requests, past which `fetch` holds them back unseen. */

/**
 * Lets `fetch` keep `needed` requests in flight. Bun reads its cap from the environment as it starts and
 * not again, so where the cap is too low this process is replaced by itself (same id, same terminal, same
 * arguments) with a higher one, and the call does not return.
 */
export function ensureRequestCap(cap: number, needed: number): void {
  if (cap >= needed) return;
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env,
    BUN_CONFIG_MAX_HTTP_REQUESTS: String(needed),
  });
}
