/** One closed-loop run against a gateway, as the load tester does it. */
import { closedLoop } from "./loadtest/closed-loop.ts";
import { ask } from "./loadtest/outcome.ts";
import { questions } from "./loadtest/questions.ts";
import { type Report, report } from "./loadtest/report.ts";
import { Tally } from "./loadtest/tally.ts";

/**
 * @param questionOf the question of a request, by its place in the run.
 * @throws Error if any question was not answered: a figure over failures would mean nothing.
 */
export async function run(
  url: string,
  requests: number,
  concurrency: number,
  questionOf = (index: number) => questions[index % questions.length]!,
): Promise<Report> {
  const tally = new Tally();
  const signal = new AbortController().signal;
  const started = performance.now();
  await closedLoop({ requests, concurrency, signal }, async (index) => {
    tally.add(await ask(questionOf(index), { url, timeout_ms: 65_000, signal }));
  });
  const result = report(tally, { url, concurrency, elapsed_ms: performance.now() - started });
  if (result.failed > 0)
    throw new Error(`${result.failed} questions failed: ${JSON.stringify(result.failures)}`);
  return result;
}
