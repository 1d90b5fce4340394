/** The report of a run as one object: what `--json` prints. */
import type { CrossCheck, Crossed } from "./cross-check.ts";
import type { Durations } from "./durations.ts";
import type { LoadCheck } from "./load-counters.ts";
import type { SloResult } from "./slo.ts";
import type { Tally } from "./tally.ts";
import type { Verdict } from "./verdict.ts";

/** `null` where nothing was measured. */
type Milliseconds = number | null;
type Spread = Record<"min" | "p50" | "p95" | "p99" | "max" | "avg", Milliseconds>;
/** Upper end of a bucket in ms, and how many are in it; ascending, none empty. */
type Buckets = readonly (readonly [up_to_ms: number, count: number])[];

export interface Report {
  readonly url: string;
  /** How requests were sent: `closed`, or the open loop's rates in words. */
  readonly load: string;
  /** In flight: at all times in a closed loop, at most in an open one. */
  readonly concurrency: number;
  /** Requests that ended: fewer than were asked for if the run was interrupted. */
  readonly requests: number;
  readonly successful: number;
  readonly failed: number;
  /** Whose client hung up on purpose: neither successful nor failed. */
  readonly aborted: number;
  /** Reason to count, most frequent first. */
  readonly failures: Record<string, number>;
  readonly duration_s: number;
  /** Successful requests per second. */
  readonly throughput_rps: number;
  /** Of successful requests, as the client saw them; in an open loop from when they were due. */
  readonly latency_ms: Spread;
  /** The same from when they were sent: what a closed loop would call latency. */
  readonly service_ms: Spread;
  /** How late requests were sent; all 0 in a closed loop, where none is due. */
  readonly lag_ms: Spread;
  /** What a request takes within this process alone, in an open loop: see self-probe.ts. */
  readonly probe_ms: Spread;
  /** Of streamed answers. */
  readonly first_token_ms: Spread;
  readonly token_gap_ms: Spread;
  /** Successful requests by the replica that answered, and by the worker that called it. */
  readonly replicas: Record<string, number>;
  readonly workers: Record<string, number>;
  /** As the answers tell them, in the order of the line, ms. */
  readonly stages: Record<string, Record<"waited" | "worked", Record<"p50" | "p95", Milliseconds>>>;
  readonly slo: SloResult | null;
  readonly cross_check: {
    readonly checked: number;
    readonly distinguishable_questions: number;
    readonly crossed: readonly Crossed[];
  } | null;
  readonly loads: LoadCheck | null;
  /** `null` for a run that was interrupted or never began. */
  readonly verdict: Verdict | null;
  /** By the second in which requests were due. */
  readonly timeline: readonly {
    readonly sent: number;
    readonly answered: number;
    readonly failed: number;
    readonly p50_ms: Milliseconds;
    readonly p99_ms: Milliseconds;
  }[];
  readonly histograms: Record<"latency" | "service" | "lag" | "probe" | "first_token" | "token_gap", Buckets>;
}

export interface ReportedRun {
  readonly url: string;
  readonly load?: string;
  readonly concurrency: number;
  readonly elapsed_ms: number;
  readonly slo?: SloResult | null;
  readonly crossCheck?: CrossCheck;
  readonly loads?: LoadCheck;
  readonly verdict?: Verdict | null;
}

export function report(tally: Tally, run: ReportedRun): Report {
  const { requests, successful, failed, aborted } = tally;
  const { crossCheck } = run;
  const duration_s = run.elapsed_ms / 1_000;
  return {
    url: run.url,
    load: run.load ?? "closed",
    concurrency: run.concurrency,
    requests,
    successful,
    failed,
    aborted,
    failures: Object.fromEntries([...tally.failures].sort(([, a], [, b]) => b - a)),
    duration_s: round(duration_s),
    throughput_rps: round(successful / duration_s),
    latency_ms: spread(tally.latency),
    service_ms: spread(tally.service),
    lag_ms: spread(tally.lag),
    probe_ms: spread(tally.probe),
    first_token_ms: spread(tally.first_token),
    token_gap_ms: spread(tally.token_gap),
    replicas: byName(tally.replicas),
    workers: byName(tally.workers),
    stages: Object.fromEntries(
      [...tally.stages].map(([name, { waited, worked }]) => [
        name,
        { waited: middleAndTail(waited), worked: middleAndTail(worked) },
      ]),
    ),
    slo: run.slo ?? null,
    cross_check: crossCheck
      ? {
          checked: crossCheck.checked,
          distinguishable_questions: crossCheck.distinguishable,
          crossed: crossCheck.crossed,
        }
      : null,
    loads: run.loads ?? null,
    verdict: run.verdict ?? null,
    timeline: tally.timeline.seconds.map(({ sent, answered, failed, latency }) => ({
      sent,
      answered,
      failed,
      p50_ms: latency.percentile(50),
      p99_ms: latency.percentile(99),
    })),
    histograms: {
      latency: tally.latency.buckets(),
      service: tally.service.buckets(),
      lag: tally.lag.buckets(),
      probe: tally.probe.buckets(),
      first_token: tally.first_token.buckets(),
      token_gap: tally.token_gap.buckets(),
    },
  };
}

function spread(durations: Durations): Spread {
  return {
    min: durations.percentile(0),
    p50: durations.percentile(50),
    p95: durations.percentile(95),
    p99: durations.percentile(99),
    max: durations.percentile(100),
    avg: durations.mean,
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
