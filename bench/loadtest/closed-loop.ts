/**
 * The closed loop: as many clients as there may be requests in flight, each sending its next request
 * the moment its last one has ended. So a slow gateway is asked less often, as by users who wait for
 * their answer; what it would do under a fixed rate of arrivals is a different question: `open-loop.ts`.
 */
export interface ClosedLoop {
  /** Infinity to go on until the signal. */
  readonly requests: number;
  readonly concurrency: number;
  /** Aborted: no further request is sent, and what is in flight is left to `send` to end. */
  readonly signal: AbortSignal;
}

/**
 * Calls `send` with 0, 1, 2... and resolves when the last call has ended.
 * `concurrency` calls are in flight from the first until there are no more to start.
 */
export async function closedLoop(
  { requests, concurrency, signal }: ClosedLoop,
  send: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function client(): Promise<void> {
    while (next < requests && !signal.aborted) await send(next++);
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, requests) }, client));
}
