/**
 * The open loop: each request is sent at its own time, whether or not those before it were answered, as by
 * users who do not know of one another. A gateway that stalls for a second is asked all the same, and every
 * request that fell into that second shows it: in a closed loop one would (coordinated omission).
 */
export interface OpenLoop {
  /** When to send, ms from the start, ascending. */
  readonly arrivals: Iterable<number>;
  /** Aborted: no further request is sent, and what is in flight is left to `send` to end. */
  readonly signal: AbortSignal;
}

/** Beyond it a request waits for its place; that shows as generator lag. */
export const MOST_IN_FLIGHT = 10_000;

/**
 * Calls `send` with 0, 1, 2... and the `performance.now()` at which each was due; resolves when the last
 * call has ended.
 */
export async function openLoop(
  { arrivals, signal }: OpenLoop,
  send: (index: number, due_at: number) => Promise<void>,
): Promise<void> {
  const started = performance.now();
  const inFlight = new Set<Promise<void>>();
  let index = 0;
  for (const after_ms of arrivals) {
    const due_at = started + after_ms;
    // Timers are whole milliseconds: what falls due within one is sent together.
    for (
      let wait = due_at - performance.now();
      wait > 0 && !signal.aborted;
      wait = due_at - performance.now()
    )
      await sleep(wait, signal);
    while (inFlight.size >= MOST_IN_FLIGHT && !signal.aborted) await Promise.race(inFlight);
    if (signal.aborted) break;
    const sending: Promise<void> = send(index++, due_at).finally(() => inFlight.delete(sending));
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
}

function sleep(wait_ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
    resolve();
  };
  const timer = setTimeout(wake, wait_ms);
  signal.addEventListener("abort", wake);
  return promise;
}
