/** What a run has seen so far, counted as it comes: memory does not grow with the number of requests. */
import { Durations } from "./durations.ts";
import type { Outcome } from "./outcome.ts";

/** The durations of one stage, as the answers report them. */
export class StageTally {
  readonly waited = new Durations();
  readonly worked = new Durations();
}

export class Tally {
  /** Of successful requests alone: a refusal is quick, and would flatter the percentiles. */
  readonly latency = new Durations();
  /** Reason to count. */
  readonly failures = new Map<string, number>();
  /** Successful answers by the replica's URL, and by the worker's name. */
  readonly replicas = new Map<string, number>();
  readonly workers = new Map<string, number>();
  /** By stage, in the order of the line. */
  readonly stages = new Map<string, StageTally>();
  successful = 0;
  failed = 0;

  /** Requests that have ended. */
  get requests(): number {
    return this.successful + this.failed;
  }

  /** Counts a request that has ended; an abandoned one counts as neither successful nor failed. */
  add(outcome: Outcome): void {
    switch (outcome.kind) {
      case "answered": {
        this.successful++;
        this.latency.record(outcome.elapsed_ms);
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
        increment(this.failures, outcome.reason);
    }
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
