/** What the balancer did, seen from one worker; times in seconds, as Prometheus has them. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { BreakerState, Call, CallOutcome } from "#balancer";
import { LATENCY_BUCKETS } from "#runtime";

export function balancerMetrics(registry: Registry) {
  const registers = [registry];
  const decisions = new Counter({
    name: "ragline_balancer_decisions_total",
    help: "Jobs bound to a replica at dispatch, by whether it was confirmed, moved, or is a probe",
    labelNames: ["replica", "kind"] as const,
    registers,
  });
  const calls = new Histogram({
    name: "ragline_replica_latency_seconds",
    help: "Calls of a replica, whole, by outcome: ok, failed, silent (given up as the replica hangs), aborted",
    labelNames: ["replica", "outcome"] as const,
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const transitions = new Counter({
    name: "ragline_breaker_transitions_total",
    help: "Changes of a replica's circuit breaker, by the state it came to",
    labelNames: ["replica", "to"] as const,
    registers,
  });
  const hedges = new Counter({
    name: "ragline_hedges_total",
    help: "Second calls made for a late first token, by whether they won",
    labelNames: ["outcome"] as const,
    registers,
  });
  for (const outcome of ["won", "lost"]) hedges.inc({ outcome }, 0);
  return {
    hedged(outcome: "won" | "lost"): void {
      hedges.inc({ outcome });
    },
    decided({ url, probe, moved }: Call): void {
      decisions.inc({ replica: url, kind: probe ? "probe" : moved ? "moved" : "confirmed" });
    },
    over({ url }: Call, outcome: CallOutcome["outcome"], latency_ms: number): void {
      calls.observe({ replica: url, outcome }, latency_ms / 1_000);
    },
    breaker(replica: string, to: BreakerState): void {
      transitions.inc({ replica, to });
    },
  };
}
export type BalancerMetrics = ReturnType<typeof balancerMetrics>;
