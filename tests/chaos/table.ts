/** Runs as rows of one table. */
import type { CountsReport } from "./count-watch.ts";

export interface Row {
  readonly scenario: string;
  readonly jobs: number;
  readonly faults: number;
  readonly answered: number;
  readonly errors: number;
  readonly dead: number;
  /** Jobs whose client hung up. */
  readonly left: number;
  /** How often a caller was refused, most of whom then asked again. */
  readonly again: number;
  readonly lost: number;
  readonly twice: number;
  readonly stranded: number;
  /** Left in the counts of replicas. */
  readonly loads: number;
  readonly seconds: number;
  readonly seed: number;
  readonly counts?: CountsReport;
  readonly problems: readonly string[];
}

const columns = [
  "scenario",
  "jobs",
  "faults",
  "answered",
  "errors",
  "dead",
  "left",
  "again",
  "lost",
  "twice",
  "stranded",
  "loads",
  "seconds",
  "seed",
] as const satisfies readonly (keyof Row)[];

/** Markdown, so that it can be kept as it is. */
export function tableHead(): string {
  const rule = columns.map((name) => `${"-".repeat(name.length + 1)}${name === "scenario" ? "-" : ":"}`);
  return `| ${columns.map((name) => name.padStart(name.length)).join(" | ")} |\n|${rule.join("|")}|`;
}

export function tableRow(row: Row): string {
  return `| ${columns.map((name) => String(row[name]).padStart(name.length)).join(" | ")} |`;
}

/** What came of watching the counts of replicas, below the row of its run. */
export function countsLine(counts: CountsReport): string {
  const { samples, most_counted, most_between, longest_between_ms, orphans, problems } = counts;
  const verdict = problems.length === 0 ? "each equal to the truth" : "not all equal to the truth";
  return (
    `\ncounts of replicas: ${samples} samples, ${verdict}; at most ${most_counted} counted, ${most_between} between two ` +
    `steps, for ${longest_between_ms} ms; ${orphans} reservations of killed gateways ended with their leases`
  );
}
