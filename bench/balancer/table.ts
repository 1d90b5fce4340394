/** A comparison as text: a row a contender. */
import { table as columns } from "../loadtest/text-table.ts";
import { shown } from "../rounds.ts";
import type { Comparison, Standing } from "./comparison.ts";

const HEADER = ["", "P50 ms", "P95 ms", "P99 ms", "P99 to HAProxy's", "errors", "share of each replica, %"];

export function table(comparison: Comparison): string {
  const { scenario, about, questions_per_s, rounds, seconds, standings } = comparison;
  return [
    `\n${scenario}: ${about}; ${questions_per_s.toFixed(0)} questions/s; median of ${rounds} rounds of ${seconds} s (range)`,
    columns(HEADER, standings.map(row)),
    scenario === "healthy"
      ? overhead(standings)
      : "to reach: P99 at most 0.7x HAProxy's, no more errors than it",
  ].join("\n");
}

function row({
  contender,
  p50_ms,
  p95_ms,
  p99_ms,
  p99_to_haproxy,
  errors,
  asked,
  shares,
}: Standing): string[] {
  return [
    contender,
    shown(p50_ms, 0),
    shown(p95_ms, 0),
    shown(p99_ms, 0),
    shown(p99_to_haproxy),
    `${errors} of ${asked}`,
    shares.map((share) => share.toFixed(1)).join(" "),
  ];
}

/** The line does more than to choose: what that costs where nothing is wrong. */
function overhead(standings: readonly Standing[]): string {
  const haproxy = standings.find(({ contender }) => contender === "haproxy")!;
  const added = standings
    .filter(({ contender }) => contender !== "haproxy" && contender !== "nginx")
    .map(({ contender, p50_ms }) => `${contender} ${(p50_ms.median - haproxy.p50_ms.median).toFixed(1)} ms`);
  return `the line itself, P50 beyond HAProxy's: ${added.join(", ")}`;
}
