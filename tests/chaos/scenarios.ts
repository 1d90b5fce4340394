/** What is tried, and what may come of it. */
import {
  anyFault,
  cut,
  type Fault,
  freeze,
  kill,
  killAny,
  killGateway,
  killRedis,
  killReplica,
  roll,
} from "./faults.ts";

export interface Scenario {
  readonly jobs: number;
  /** How many faults are spread over that many jobs. */
  readonly faults: number;
  readonly fault?: Fault;
  /** Jobs, spread over the run, that kill whichever worker handles them: they alone may become dead letters. */
  readonly poisoned?: number;
  /** Whether no message may be charged with a delivery or a retry, and no caller be refused: nobody died. */
  readonly free_of_charge?: boolean;
  /** `always` where Redis itself is killed: with `everysec` its last second may be lost, by contract. */
  readonly appendfsync?: "everysec" | "always";
  /** Asked by HTTP, of real gateways; real LLM workers call mock replicas. Otherwise callers push jobs themselves. */
  readonly gateway?: GatewayScenario;
  /** How many ask at once, where not as many as usual. */
  readonly callers?: number;
  /** Share of clients that hang up, at random. */
  readonly hang_up?: number;
  /** Whether the counts of replicas are held against the truth all the time, rather than at the end alone. */
  readonly watch_counts?: boolean;
}

export interface GatewayScenario {
  /** A question's deadline, ms. What a gateway had counted when it died, or when it gave up on Redis, lasts until then. */
  readonly timeout_ms: number;
  /** Share of calls to a replica that meet each of its faults: refused, hanging, cut off midway, answered with rubbish. */
  readonly replica_faults?: number;
  /** Share of calls whose stream is cut midway, in place of all of these. */
  readonly cut_streams?: number;
}

/** Short, so that a run is; two seconds still let a busy machine beat in time. */
export const LEASE_MS = 2_000;
export const WORKERS_PER_STAGE = 2;

const WORKERS = 3 * WORKERS_PER_STAGE;
const ROUNDS = 3;

export const scenarios: Readonly<Record<string, Scenario>> = {
  kill: { jobs: 20_000, faults: 20, fault: kill },
  freeze: { jobs: 20_000, faults: 10, fault: freeze },
  cut: { jobs: 20_000, faults: 20, fault: cut },
  redis: { jobs: 20_000, faults: 6, fault: killRedis, appendfsync: "always" },
  poison: { jobs: 2_000, faults: 0, poisoned: 1 },
  roll: {
    jobs: 10_000,
    faults: ROUNDS * WORKERS,
    fault: roll,
    free_of_charge: true,
    gateway: { timeout_ms: 30_000 },
  },
  gateway: {
    jobs: 5_000,
    faults: 10,
    fault: killGateway,
    gateway: { timeout_ms: 10_000 },
  },
  replicas: {
    jobs: 5_000,
    faults: 10,
    fault: killReplica,
    gateway: { timeout_ms: 30_000, replica_faults: 0.1 },
  },
  hangup: { jobs: 5_000, faults: 0, hang_up: 0.25, gateway: { timeout_ms: 30_000 } },
  counters: {
    jobs: 50_000,
    faults: 50,
    fault: killAny,
    // Few enough to be answered within 100 ms on an idle machine: so a fifth of all clients at least leave before that.
    callers: 64,
    hang_up: 0.4,
    watch_counts: true,
    gateway: { timeout_ms: 15_000, cut_streams: 0.1 },
  },
  mixed: {
    jobs: 5_000,
    faults: 40,
    fault: anyFault,
    poisoned: 1,
    hang_up: 0.25,
    appendfsync: "always",
    gateway: { timeout_ms: 30_000, replica_faults: 0.1 },
  },
};

const FEWEST_FAULTS = 3;

/** The scenario with another number of jobs and, in proportion, of faults. */
export function resized(scenario: Scenario, jobs: number): Scenario {
  const faults = Math.round((scenario.faults * jobs) / scenario.jobs);
  return { ...scenario, jobs, faults: scenario.fault ? Math.max(FEWEST_FAULTS, faults) : 0 };
}
