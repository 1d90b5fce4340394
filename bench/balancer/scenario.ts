/** What is wrong with the first of the replicas, and how fast questions come. */
export const REPLICAS = 4;
/** Calls that a replica serves at once; each contender sends it no more. */
export const SLOTS = 4;
/** Long enough for the processors not to be what limits. */
const DELAY_MS = 200;
const JITTER_MS = 40;
const SLOWER = 5;
const FAILURES = 0.5;
/** Of the capacity that the scenario leaves, faults that come and go aside. */
const LOAD = 0.7;

export interface Scenario {
  readonly about: string;
  /** What the first replica answers, as a share of what the others do. */
  readonly first: number;
  /** Settings of the first replica. */
  readonly settings: Record<string, string>;
  /** Shares of a round at which the first replica stops and goes on again. */
  readonly hangs?: readonly [from: number, to: number];
}

export const SCENARIOS = {
  healthy: { about: `${REPLICAS} equal replicas`, first: 1, settings: {} },
  slow: {
    about: `one of ${REPLICAS} is ${SLOWER}x slower`,
    first: 1 / SLOWER,
    settings: { MOCK_DELAY_MS: String(SLOWER * DELAY_MS), MOCK_JITTER_MS: String(SLOWER * JITTER_MS) },
  },
  failing: {
    about: `one of ${REPLICAS} fails ${100 * FAILURES} % of its calls, at once`,
    first: 1 - FAILURES,
    settings: { MOCK_FAILURE_RATE: String(FAILURES) },
  },
  hanging: {
    about: `one of ${REPLICAS} hangs for the middle third of each round, and returns`,
    first: 1,
    settings: {},
    hangs: [1 / 3, 2 / 3],
  },
} as const satisfies Record<string, Scenario>;
export type ScenarioName = keyof typeof SCENARIOS;

/** Questions a second. */
export function rateOf({ first }: Scenario): number {
  const calls_per_s = 1_000 / (DELAY_MS + JITTER_MS / 2);
  return LOAD * (REPLICAS - 1 + first) * SLOTS * calls_per_s;
}

/** Settings of each mock replica. */
export function replicaSettings({ settings }: Scenario): Record<string, string>[] {
  return Array.from({ length: REPLICAS }, (_, i) => ({
    MOCK_PORT: "0",
    MOCK_CONCURRENCY: String(SLOTS),
    MOCK_DELAY_MS: String(DELAY_MS),
    MOCK_JITTER_MS: String(JITTER_MS),
    MOCK_SEED: String(i + 1),
    ...(i === 0 && settings),
  }));
}
