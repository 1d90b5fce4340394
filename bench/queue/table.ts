/** A comparison as text: a row a figure, a column a contender, and how Ragline stands to the others. */
import { shown } from "../rounds.ts";
import type { Comparison } from "./comparison.ts";
import { CONCURRENCY } from "./contender.ts";
import { type Figures, IN_FLIGHT } from "./line.ts";

interface Row {
  readonly measure: keyof Figures;
  readonly name: string;
  readonly digits: number;
}

const ROWS: readonly Row[] = [
  { measure: "jobs_per_s", name: "saturated, jobs/s", digits: 0 },
  { measure: "cpu_ms_per_job", name: "saturated, CPU ms a job", digits: 3 },
  { measure: "p50_ms", name: "idle, P50 ms", digits: 2 },
  { measure: "p99_ms", name: "idle, P99 ms", digits: 2 },
];

export function table({ size, rounds, figures, ratios }: Comparison): string {
  const lines = [
    `\nThree hops, messages of ${size}; ${CONCURRENCY} jobs at once a stage, ${IN_FLIGHT} in flight; median of ${rounds} rounds (range)`,
    row("", ["Ragline", "BullMQ", "BRPOP + LPUSH", "to BullMQ", "to BRPOP"]),
    ...ROWS.map(({ measure, name, digits }) =>
      row(name, [
        shown(figures.ragline[measure], digits),
        shown(figures.bullmq[measure], digits),
        shown(figures.brpop[measure], digits),
        shown(ratios.bullmq[measure]),
        shown(ratios.brpop[measure]),
      ]),
    ),
    "to reach: at least 3x BullMQ's jobs/s at no more than 0.35x its CPU; at least 2x BRPOP's jobs/s; idle P50 at most 1.3x BRPOP's",
  ];
  return lines.join("\n");
}

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(24)}${cells.map((cell) => cell.padEnd(23)).join("")}`.trimEnd();
}
