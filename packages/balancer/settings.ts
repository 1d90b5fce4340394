/** What the balancer is told, the same by every gateway and worker of a line. */

export const POLICIES = ["least-connections", "p2c", "peak-ewma", "round-robin", "learned"] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface BalancerSettings {
  readonly policy: PolicyName;
  /** Most calls at once to one replica; 0 to have it adapted to the replica's latency (AIMD). */
  readonly limit: number;
  /** Failures in a row that open a replica's breaker. */
  readonly failures: number;
  /** Share of failures in the window that opens it, 0 to 1. */
  readonly error_rate: number;
  /** Time constant of that window, ms. */
  readonly window_ms: number;
  /** First cool-down of an open breaker; doubled each time up to the other, and jittered by up to half. */
  readonly cooldown_ms: number;
  readonly cooldown_most_ms: number;
  /** A replica that comes back has its full limit after this, ms; 0 for at once. */
  readonly slow_start_ms: number;
  /** Time constant of the latency estimate, ms. */
  readonly decay_ms: number;
  /** A replica that is passed over for its latency is tried again when nothing was heard of it for so long, ms. */
  readonly explore_ms: number;
  /** What a failure counts for, as if it had been a call that took so long, before it is known what calls take, ms. */
  readonly failure_ms: number;
  /** A replica whose silence is so many times what its first tokens take at most hangs; 0 to not look for it. */
  readonly hang_factor: number;
  /** For `learned`: how much of what it knows a further call leaves, 0 to 1. */
  readonly discount: number;
  /** Whether a decision says what it was made from, for the decision log. */
  readonly explain: boolean;
}

export const DEFAULT_SETTINGS: BalancerSettings = {
  policy: "least-connections",
  limit: 32,
  failures: 10,
  error_rate: 0.8,
  window_ms: 10_000,
  cooldown_ms: 1_000,
  cooldown_most_ms: 15_000,
  slow_start_ms: 10_000,
  decay_ms: 10_000,
  explore_ms: 3_000,
  failure_ms: 1_000,
  hang_factor: 2,
  discount: 0.98,
  explain: false,
};
