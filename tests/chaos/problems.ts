/** What a run's records say against the promise, in words. */
import type { Books } from "./books.ts";
import type { Scenario } from "./scenarios.ts";

const EXAMPLES = 3;

/** Beside the books. */
export interface Counts {
  /** Faults that happened. */
  readonly faults: number;
  /** Deliveries and retries that were charged. */
  readonly charged: number;
  /** How often a caller was refused, most of whom then asked again. */
  readonly again: number;
  /** Calls that replicas are still at. */
  readonly calls: number;
}

export function problemsOf(scenario: Scenario, books: Books, counts: Counts): string[] {
  const problems: string[] = [];
  const list = (ids: readonly string[], what: string) => {
    if (ids.length === 0) return;
    const more = ids.length > EXAMPLES ? ", ..." : "";
    problems.push(`${ids.length} ${what}: ${ids.slice(0, EXAMPLES).join(", ")}${more}`);
  };
  const { gateway, free_of_charge } = scenario;
  list(books.lost, "accepted and never heard of again");
  list(books.twice, "accepted or completed more than once");
  list(books.crossed, "answered with what belongs to another job or to none, or with two answers");
  list(books.innocent, "dead that killed no worker");
  list(books.unheard, "asked and never told anything");
  list(
    [...books.stranded].map(([key, count]) => `${count} in ${key}`),
    "places where something is left",
  );
  list(
    [...books.loads].map(([key, count]) => `${count} in ${key}`),
    "counts of replicas that nobody uses",
  );
  if (counts.calls > 0)
    problems.push(`${counts.calls} calls that replicas are still at, though nobody waits`);
  for (const [code, times] of books.codes) {
    // Where each call fails with some probability, so does now and then every replica that there is.
    if (code !== "replica_failed" || !(gateway?.replica_faults || gateway?.cut_streams))
      problems.push(`${times} told of the error ${code}, though nothing failed that causes it`);
  }
  if (free_of_charge && counts.charged > 0)
    problems.push(`${counts.charged} deliveries or retries charged, though nobody died`);
  if (free_of_charge && counts.again > 0)
    problems.push(`${counts.again} times a caller was refused, though nobody died`);
  if (counts.faults < scenario.faults)
    problems.push(`${counts.faults} of ${scenario.faults} faults happened`);
  return problems;
}
