/** What a run's books say against the promise, in words. */
import type { Books } from "./books.ts";
import type { Ledger } from "./ledger.ts";
import type { Scenario } from "./scenarios.ts";

const EXAMPLES = 3;

export function problemsOf(scenario: Scenario, books: Books, ledger: Ledger, injected: number): string[] {
  const problems: string[] = [];
  const list = (ids: readonly string[], what: string) => {
    if (ids.length === 0) return;
    const more = ids.length > EXAMPLES ? ", ..." : "";
    problems.push(`${ids.length} ${what}: ${ids.slice(0, EXAMPLES).join(", ")}${more}`);
  };
  list(books.lost, "accepted and never heard of again");
  list(books.twice, "completed more than once");
  list(books.crossed, "answered with what belongs to another job");
  list(books.innocent, "dead that killed no worker");
  list(
    [...books.stranded].map(([key, count]) => `${count} in ${key}`),
    "places where something is left",
  );
  if (books.errors > 0) problems.push(`${books.errors} told of an error, though no handler failed`);
  if (scenario.free_of_charge && ledger.charged > 0)
    problems.push(`${ledger.charged} deliveries charged, though nobody died`);
  if (books.accepted < scenario.jobs)
    problems.push(`${scenario.jobs - books.accepted} of ${scenario.jobs} jobs could not be asked`);
  if (injected < scenario.faults) problems.push(`${injected} of ${scenario.faults} faults happened`);
  return problems;
}
