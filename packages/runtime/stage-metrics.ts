/** A stage's metrics, the same for every stage; times in seconds, as Prometheus has them. */

import { Counter, Histogram, type Registry } from "prom-client";
import type { Stage, StageTiming } from "#contracts";

/** From a tenth of a millisecond, as an idle line waits, to a slow model's minute. */
export const LATENCY_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

export function stageMetrics(registry: Registry, stage: Stage) {
  const registers = [registry];
  const labelNames = ["stage"] as const;
  const jobs = new Counter({
    name: "ragline_stage_jobs_total",
    help: "Jobs that left the stage, by outcome: ok, error, expired, cancelled",
    labelNames: ["stage", "outcome"] as const,
    registers,
  });
  const errors = new Counter({
    name: "ragline_stage_errors_total",
    help: "Jobs that the stage could not do",
    labelNames,
    registers,
  });
  const dead = new Counter({
    name: "ragline_stage_dead_letters_total",
    help: "Messages that the stage laid aside as dead letters",
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: "ragline_stage_retries_total",
    help: "Jobs that the stage put off to try them again",
    labelNames,
    registers,
  });
  const returned = new Counter({
    name: "ragline_stage_returned_total",
    help: "Messages of dead or frozen workers that were given back",
    labelNames,
    registers,
  });
  const waited = new Histogram({
    name: "ragline_stage_waited_seconds",
    help: "From the stage before to this one taking the job",
    labelNames,
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const worked = new Histogram({
    name: "ragline_stage_worked_seconds",
    help: "In the stage's handler",
    labelNames,
    buckets: LATENCY_BUCKETS,
    registers,
  });
  // An alert on a rate needs the series to exist before the first event.
  for (const counter of [errors, dead, retries, returned]) counter.inc({ stage }, 0);

  return {
    done(outcome: "ok" | "error" | "expired" | "cancelled", timing: StageTiming): void {
      jobs.inc({ stage, outcome });
      if (outcome === "error") errors.inc({ stage });
      waited.observe({ stage }, timing.waited / 1_000);
      worked.observe({ stage }, timing.worked / 1_000);
    },
    dead(): void {
      dead.inc({ stage });
    },
    retried(): void {
      retries.inc({ stage });
    },
    reaped(given_back: number, buried: number): void {
      returned.inc({ stage }, given_back);
      dead.inc({ stage }, buried);
    },
  };
}
