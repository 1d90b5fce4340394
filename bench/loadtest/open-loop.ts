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
/** How many overdue requests are sent before answers are looked at: only a generator that cannot keep up has more. */
const BURST = 64;

/**
 * Calls `send` with 0, 1, 2... and the `performance.now()` at which each was due; resolves when the last
 * call has ended.
 */
export async function openLoop(
  { arrivals, signal }: OpenLoop,
  send: (index: number, due_at: number) => Promise<void>,
): Promise<void> {
  const started = performance.now();
  const idle = Promise.withResolvers<void>();
  let in_flight = 0;
  let sending = true;
  let placeFree: (() => void) | undefined;
  const ended = () => {
    in_flight--;
    placeFree?.();
    if (!sending && in_flight === 0) idle.resolve();
  };

  let index = 0;
  let burst = 0;
  for (const after_ms of arrivals) {
    const due_at = started + after_ms;
    // Timers are whole milliseconds: what falls due within one is sent together.
    for (
      let wait = due_at - performance.now();
      wait > 0 && !signal.aborted;
      wait = due_at - performance.now()
    ) {
      await sleep(wait, signal);
      burst = 0;
    }
    if (++burst % BURST === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    while (in_flight >= MOST_IN_FLIGHT && !signal.aborted)
      await new Promise<void>((resolve) => (placeFree = resolve));
    if (signal.aborted) break;
    in_flight++;
    send(index++, due_at).then(ended, idle.reject);
  }
  sending = false;
  if (in_flight > 0) await idle.promise;
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
