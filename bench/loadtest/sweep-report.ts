/** A sweep as one object, which `--json` prints, and as text: a table and a plot. */
import type { SloResult } from "./slo.ts";
import type { Knee, Step } from "./sweep.ts";
import { ms, share, table } from "./text-table.ts";
import type { Verdict } from "./verdict.ts";

export interface SweepStep extends Step {
  readonly requests: number;
  readonly failed: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly first_token_p99_ms: number | null;
  readonly lag_p99_ms: number | null;
  readonly slo: SloResult;
}

export interface SweepReport {
  readonly url: string;
  readonly knee: Knee<SweepStep>;
  readonly verdict: Verdict;
}

const PLOT_WIDTH = 50;

export function sweepVerdict({ rate, found }: Knee<SweepStep>, interrupted: boolean): Verdict {
  if (interrupted) return { kind: "refused", reasons: ["interrupted before the knee was found"] };
  if (!found)
    return { kind: "refused", reasons: ["the generator was the limit, not the gateway: see --calibrate"] };
  return rate === null
    ? { kind: "failed", reasons: ["no rate kept the SLO"] }
    : { kind: "passed", reasons: [] };
}

export function sweepText({ url, knee, verdict }: SweepReport): string {
  const steps = knee.steps.toSorted((a, b) => a.rate - b.rate);
  const streamed = steps.some(({ first_token_p99_ms }) => first_token_p99_ms !== null);
  const rows = steps.map((step) => [
    String(step.rate),
    ...[step.p50_ms, step.p99_ms, ...(streamed ? [step.first_token_p99_ms] : []), step.lag_p99_ms].map(ms),
    share(step.failed, step.requests),
    `${step.slo.goodput_rps.toFixed(1)}/s`,
    step.outcome,
  ]);
  const found = knee.rate === null ? "none" : `${knee.rate}/s${knee.found ? "" : " or more"}`;
  return [
    `Gateway     ${url}`,
    table(
      [
        "Rate, /s",
        "P50 ms",
        "P99 ms",
        ...(streamed ? ["1st P99 ms"] : []),
        "lag P99 ms",
        "failed",
        "goodput",
        "SLO",
      ],
      rows,
    ),
    plot(steps),
    [`Knee        ${found}`, ...verdict.reasons.map((reason) => `            ${reason}`)].join("\n"),
  ].join("\n\n");
}

/** A bar of the P99 for each rate; those past twice the limit are cut there, the limit itself is a line. */
function plot(steps: readonly SweepStep[]): string {
  const limit = latencyLimit(steps);
  const longest = Math.max(1e-9, ...steps.map(({ p99_ms }) => p99_ms ?? 0));
  const full = limit === null ? longest : Math.min(Math.max(longest, limit), 2 * limit);
  const mark = limit === null ? -1 : Math.round((PLOT_WIDTH * limit) / full);
  const width = Math.max(8, ...steps.map(({ rate }) => String(rate).length));
  const lines = steps.map(({ rate, p99_ms, outcome }) => {
    const bar = p99_ms === null ? 0 : Math.round(PLOT_WIDTH * Math.min(1, p99_ms / full));
    const cells: string[] = Array.from({ length: PLOT_WIDTH + 2 }, (_, i) =>
      i < bar ? "#" : i === mark ? "|" : " ",
    );
    if (p99_ms !== null && p99_ms > full) cells[PLOT_WIDTH] = ">";
    return `${String(rate).padStart(width)} ${cells.join("").trimEnd()}${outcome === "kept" ? "" : ` ${outcome}`}`;
  });
  const scale =
    limit === null ? `to ${full.toFixed(0)} ms` : `to ${full.toFixed(0)} ms, | the limit of ${limit} ms`;
  return [`${"/s".padStart(width)} P99, ${scale}`, ...lines].join("\n");
}

/** The loosest limit on the latency. */
export function latencyLimit(steps: readonly SweepStep[]): number | null {
  const limits = (steps[0]?.slo.objectives ?? [])
    .filter(({ measure }) => measure === "latency")
    .map(({ limit_ms }) => limit_ms);
  return limits.length > 0 ? Math.max(...limits) : null;
}
