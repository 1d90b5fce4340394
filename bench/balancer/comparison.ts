/** All contenders in one scenario, in turn, round by round with the same arrivals. */
import { type Spread, spread } from "../rounds.ts";
import type { Contender } from "./contender.ts";
import { rateOf, SCENARIOS, type ScenarioName } from "./scenario.ts";
import { type Figures, Stand } from "./stand.ts";

export interface Standing {
  readonly contender: string;
  readonly p50_ms: Spread;
  readonly p95_ms: Spread;
  readonly p99_ms: Spread;
  /** P50 and P99 over HAProxy's, round by round. */
  readonly p50_to_haproxy: Spread;
  readonly p99_to_haproxy: Spread;
  /** Of all rounds. */
  readonly asked: number;
  readonly errors: number;
  readonly reasons: readonly Record<string, number>[];
  /** Median share of the answers of each replica, %. */
  readonly shares: readonly number[];
}

export interface Comparison {
  readonly scenario: ScenarioName;
  readonly about: string;
  readonly questions_per_s: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly standings: readonly Standing[];
}

export interface Amounts {
  readonly rounds: number;
  /** Of each round, measured. */
  readonly seconds: number;
}

export async function compare(
  name: ScenarioName,
  contenders: readonly Contender[],
  { rounds, seconds }: Amounts,
): Promise<Comparison> {
  const scenario = SCENARIOS[name];
  const stands = new Map<string, Stand>();
  const figures = new Map<string, Figures[]>(contenders.map((contender) => [contender.name, []]));
  try {
    for (const contender of contenders) stands.set(contender.name, await Stand.start(contender, scenario));
    for (let round = 0; round < rounds; round++) {
      for (const [contender, stand] of stands)
        figures.get(contender)!.push(await stand.round(1_000 * seconds, round + 1));
    }
  } finally {
    await Promise.all([...stands.values()].map((stand) => stand.stop()));
  }
  const haproxy = figures.get("haproxy")!;
  return {
    scenario: name,
    about: scenario.about,
    questions_per_s: rateOf(scenario),
    rounds,
    seconds,
    standings: [...figures].map(([contender, own]) => standing(contender, own, haproxy)),
  };
}

function standing(contender: string, own: readonly Figures[], haproxy: readonly Figures[]): Standing {
  const over = (value: (figures: Figures, round: number) => number) => spread(own.map(value));
  const sum = (value: (figures: Figures) => number) => own.reduce((all, one) => all + value(one), 0);
  return {
    contender,
    p50_ms: over((one) => one.p50_ms),
    p95_ms: over((one) => one.p95_ms),
    p99_ms: over((one) => one.p99_ms),
    p50_to_haproxy: over((one, round) => one.p50_ms / haproxy[round]!.p50_ms),
    p99_to_haproxy: over((one, round) => one.p99_ms / haproxy[round]!.p99_ms),
    asked: sum((one) => one.asked),
    errors: sum((one) => one.errors),
    reasons: own.map((one) => one.reasons),
    shares: own[0]!.shares.map((_, i) => over((one) => one.shares[i]!).median),
  };
}
