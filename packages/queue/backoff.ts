import type { Retries } from "#contracts";

const SOON: Retries = { first_ms: 200, longest_ms: 10_000, most: 8 };

/**
 * How long a job waits before it is tried again, ms: doubling, with the upper half left to chance, so that jobs that
 * failed together do not come back together. `undefined` when it should not be: after so many attempts, or if it would
 * come back past its deadline (epoch ms).
 * @param attempt 1 after the first try.
 */
export function backoff(
  attempt: number,
  deadline: number,
  { first_ms, longest_ms, most } = SOON,
): number | undefined {
  const ms = Math.min(first_ms * 2 ** (attempt - 1), longest_ms) * (0.5 + 0.5 * Math.random());
  return attempt > most || Date.now() + ms >= deadline ? undefined : ms;
}
