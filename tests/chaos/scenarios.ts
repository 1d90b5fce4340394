/** What is tried, and what may come of it. */
import { anyFault, cut, type Fault, freeze, kill, killRedis, roll } from "./faults.ts";

export interface Scenario {
  readonly jobs: number;
  /** How many faults are spread over that many jobs. */
  readonly faults: number;
  readonly fault?: Fault;
  /** Jobs, spread over the run, that kill whichever worker handles them: they alone may become dead letters. */
  readonly poisoned?: number;
  /** Whether no message may be charged with a delivery: nobody died. */
  readonly free_of_charge?: boolean;
  /** `always` where Redis itself is killed: with `everysec` its last second may be lost, by contract. */
  readonly appendfsync?: "everysec" | "always";
}

export const WORKERS_PER_STAGE = 2;

const STAGES = 3;
const ROUNDS = 3;

export const scenarios: Readonly<Record<string, Scenario>> = {
  kill: { jobs: 20_000, faults: 20, fault: kill },
  freeze: { jobs: 20_000, faults: 10, fault: freeze },
  cut: { jobs: 20_000, faults: 20, fault: cut },
  redis: { jobs: 20_000, faults: 6, fault: killRedis, appendfsync: "always" },
  poison: { jobs: 2_000, faults: 0, poisoned: 1 },
  roll: { jobs: 20_000, faults: ROUNDS * STAGES * WORKERS_PER_STAGE, fault: roll, free_of_charge: true },
  mixed: { jobs: 20_000, faults: 30, fault: anyFault, poisoned: 1, appendfsync: "always" },
};

const FEWEST_FAULTS = STAGES * WORKERS_PER_STAGE;

/** The scenario with another number of jobs and, in proportion, of faults: at least one a worker. */
export function resized(scenario: Scenario, jobs: number): Scenario {
  const faults = Math.round((scenario.faults * jobs) / scenario.jobs);
  return { ...scenario, jobs, faults: scenario.fault ? Math.max(FEWEST_FAULTS, faults) : 0 };
}
