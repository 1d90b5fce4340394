/**
 * How long this process itself takes for a request: it asks a server of its own now and then, by the same
 * way as the gateway. Requests may be sent on time and yet lie in this process, before the socket or behind
 * it; then what looks like the gateway's latency is the generator's.
 */
import type { Durations } from "./durations.ts";

const EVERY_MS = 20;

/** Records into `delay` until the returned function is called; a probe under way then is not waited for. */
export function probeSelf(delay: Durations): () => void {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const stopped = new AbortController();
  const probe = async () => {
    const started = performance.now();
    await fetch(server.url, { signal: stopped.signal });
    delay.record(performance.now() - started);
  };
  // A probe that failed has no time to record: it was stopped, or there was no socket for it.
  const timer = setInterval(() => probe().catch(() => {}), EVERY_MS);
  return () => {
    clearInterval(timer);
    stopped.abort();
    server.stop(true);
  };
}
