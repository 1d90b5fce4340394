/** For what nothing tells of. */

/** A pause, so that those who are waited for have the processors to themselves. */
const PAUSE_MS = 5;

/** Asks until the answer fits, and returns it; the test's own time limit ends it otherwise. */
export async function until<T>(
  ask: () => Promise<T> | T,
  fits: (answer: T) => unknown = Boolean,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    await Bun.sleep(PAUSE_MS);
  }
}
