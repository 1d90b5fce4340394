/** The report of a run as one object: what `--json` prints. */
import type { Durations } from "./durations.ts";
import type { Tally } from "./tally.ts";

/** `null` where nothing was measured. */
type Milliseconds = number | null;

export interface Report {
  readonly url: string;
  readonly concurrency: number;
  /** Requests that ended: fewer than were asked for if the run was interrupted. */
  readonly requests: number;
  readonly successful: number;
  readonly failed: number;
  /** Reason to count, most frequent first. */
  readonly failures: Record<string, number>;
  readonly duration_s: number;
  /** Successful requests per second. */
  readonly throughput_rps: number;
  /** Of successful requests, as the client saw them. */
  readonly latency_ms: Record<"min" | "p50" | "p95" | "p99" | "max" | "avg", Milliseconds>;
  /** Successful requests by the replica that answered, and by the worker that called it. */
  readonly replicas: Record<string, number>;
  readonly workers: Record<string, number>;
  /** As the answers tell them, in the order of the line, ms. */
  readonly stages: Record<string, Record<"waited" | "worked", Record<"p50" | "p95", Milliseconds>>>;
}

export function report(tally: Tally, run: { url: string; concurrency: number; elapsed_ms: number }): Report {
  const { latency, requests, successful, failed } = tally;
  const duration_s = run.elapsed_ms / 1_000;
  return {
    url: run.url,
    concurrency: run.concurrency,
    requests,
    successful,
    failed,
    failures: Object.fromEntries([...tally.failures].sort(([, a], [, b]) => b - a)),
    duration_s: round(duration_s),
    throughput_rps: round(successful / duration_s),
    latency_ms: {
      min: latency.percentile(0),
      p50: latency.percentile(50),
      p95: latency.percentile(95),
      p99: latency.percentile(99),
      max: latency.percentile(100),
      avg: latency.mean,
    },
    replicas: byName(tally.replicas),
    workers: byName(tally.workers),
    stages: Object.fromEntries(
      [...tally.stages].map(([name, { waited, worked }]) => [
        name,
        { waited: middleAndTail(waited), worked: middleAndTail(worked) },
      ]),
    ),
  };
}

function middleAndTail(durations: Durations) {
  return { p50: durations.percentile(50), p95: durations.percentile(95) };
}

function byName(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
