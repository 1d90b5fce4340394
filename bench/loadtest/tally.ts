/** What a run has seen so far, counted as it comes: memory grows with its seconds, not with its requests. */
import { Durations } from "./durations.ts";
import type { Outcome } from "./outcome.ts";
import { type Slo, SloCount } from "./slo.ts";
import { Timeline } from "./timeline.ts";

/** The durations of one stage, as the answers report them. */
export class StageTally {
  readonly waited = new Durations();
  readonly worked = new Durations();
}

/** When a request was due, from the start of the run, and how much later than that it was sent. */
export interface Sent {
  readonly at_ms: number;
  readonly lag_ms: number;
}

export class Tally {
  /** From when a request was due; of successful requests alone: a refusal is quick, and would flatter the percentiles. */
  readonly latency = new Durations();
  /** From when it was sent. */
  readonly service = new Durations();
  /** Of every request: how late it was sent. */
  readonly lag = new Durations();
  /** Of an open loop's probes: what a request takes within this process alone. */
  readonly probe = new Durations();
  /** Of streamed answers: from when they were due to their first token, and between tokens. */
  readonly first_token = new Durations();
  readonly token_gap = new Durations();
  readonly timeline = new Timeline();
  readonly slo: SloCount | undefined;
  /** Reason to count. */
  readonly failures = new Map<string, number>();
  /** Successful answers by the replica's URL, and by the worker's name. */
  readonly replicas = new Map<string, number>();
  readonly workers = new Map<string, number>();
  /** By stage, in the order of the line. */
  readonly stages = new Map<string, StageTally>();
  successful = 0;
  failed = 0;
  /** Hung up on purpose; neither successful nor failed. */
  aborted = 0;

  constructor(slo?: Slo) {
    this.slo = slo && new SloCount(slo);
  }

  /** What the generator added of its own, P99; `null` where nothing was sent. */
  get generator_lag_ms(): number | null {
    const lag = this.lag.percentile(99);
    return lag === null ? null : Math.max(lag, this.probe.percentile(99) ?? 0);
  }

  /** Requests that have ended. */
  get requests(): number {
    return this.successful + this.failed + this.aborted;
  }

  /** Counts a request that has ended; an abandoned one counts as nothing. */
  add(outcome: Outcome, { at_ms, lag_ms }: Sent = { at_ms: 0, lag_ms: 0 }): void {
    if (outcome.kind === "abandoned") return;
    this.lag.record(lag_ms);
    const second = this.timeline.at(at_ms);
    second.sent++;
    switch (outcome.kind) {
      case "answered": {
        const latency_ms = outcome.elapsed_ms + lag_ms;
        this.successful++;
        second.answered++;
        second.latency.record(latency_ms);
        this.latency.record(latency_ms);
        this.service.record(outcome.elapsed_ms);
        this.slo?.add({ latency: latency_ms, ...this.#tokens(outcome.tokens, lag_ms) });
        increment(this.replicas, outcome.answer.selected_replica);
        increment(this.workers, outcome.answer.worker);
        for (const [name, { waited, worked }] of Object.entries(outcome.answer.timings)) {
          const stage = this.#stage(name);
          stage.waited.record(waited);
          stage.worked.record(worked);
        }
        break;
      }
      case "failed":
      case "unreachable":
        this.failed++;
        second.failed++;
        this.slo?.add(undefined);
        increment(this.failures, outcome.reason);
        break;
      case "aborted":
        this.aborted++;
    }
  }

  #tokens(tokens: (Outcome & { kind: "answered" })["tokens"], lag_ms: number) {
    if (!tokens) return {};
    const ttft = tokens.first_ms + lag_ms;
    this.first_token.record(ttft);
    let gap = 0;
    for (const gap_ms of tokens.gaps_ms) {
      this.token_gap.record(gap_ms);
      gap = Math.max(gap, gap_ms);
    }
    return { ttft, gap };
  }

  #stage(name: string): StageTally {
    let stage = this.stages.get(name);
    if (!stage) {
      stage = new StageTally();
      this.stages.set(name, stage);
    }
    return stage;
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
