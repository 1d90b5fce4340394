const FIRST_MS = 200;
const LONGEST_MS = 10_000;
const MOST_ATTEMPTS = 8;

/**
 * How long a job waits before it is tried again, ms: doubling, with the upper half left to chance, so that jobs that
 * failed together do not come back together. `undefined` when it should not be: after 8 attempts, or if it would come
 * back past its deadline (epoch ms).
 * @param attempt 1 after the first try.
 */
export function backoff(attempt: number, deadline: number): number | undefined {
  const ms = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS) * (0.5 + 0.5 * Math.random());
  return attempt > MOST_ATTEMPTS || Date.now() + ms >= deadline ? undefined : ms;
}
