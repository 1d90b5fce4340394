/** The contenders side by side with messages of one size, and Ragline's ratio to each of the others. */
import { startRedis } from "../../tests/support/redis.ts";
import { type Spread, spread } from "../rounds.ts";
import { type ContenderName, contenders } from "./contenders/index.ts";
import { BenchLine, type Figures } from "./line.ts";
import type { Size } from "./workload.ts";

export interface Amounts {
  readonly rounds: number;
  /** Jobs before anything is measured, so that compiled code is measured; jobs of a saturated round; of an idle one. */
  readonly warm_up: number;
  readonly saturated: number;
  readonly idle: number;
}

export interface Comparison {
  readonly size: Size;
  readonly rounds: number;
  readonly figures: Record<ContenderName, Record<keyof Figures, Spread>>;
  /** Ragline's figure over another's, round by round. */
  readonly ratios: Record<Exclude<ContenderName, "ragline">, Record<keyof Figures, Spread>>;
}

const MEASURES = ["jobs_per_s", "cpu_ms_per_job", "p50_ms", "p99_ms"] as const satisfies (keyof Figures)[];

export async function compare(size: Size, amounts: Amounts): Promise<Comparison> {
  // A rewrite of the log would fall to whoever works then.
  const redis = await startRedis({ appendonly: "yes", "auto-aof-rewrite-percentage": "0" });
  const names = Object.keys(contenders) as ContenderName[];
  const lines = await Promise.all(names.map((name) => BenchLine.start(redis, name, size)));
  for (const line of lines) await line.saturate(amounts.warm_up);
  const rounds: Record<ContenderName, Figures>[] = [];
  for (let round = 0; round < amounts.rounds; round++) {
    const figures: Partial<Record<ContenderName, Figures>> = {};
    for (const [i, name] of names.entries()) {
      figures[name] = {
        ...(await lines[i]!.saturate(amounts.saturated)),
        ...(await lines[i]!.idle(amounts.idle)),
      };
    }
    rounds.push(figures as Record<ContenderName, Figures>);
  }
  await Promise.all(lines.map((line) => line.stop()));
  await redis.stop();

  const figuresOf = (name: ContenderName) => over(rounds, (round, measure) => round[name][measure]);
  const ratiosTo = (name: ContenderName) =>
    over(rounds, (round, measure) => round.ragline[measure] / round[name][measure]);
  return {
    size,
    rounds: amounts.rounds,
    figures: { ragline: figuresOf("ragline"), bullmq: figuresOf("bullmq"), brpop: figuresOf("brpop") },
    ratios: { bullmq: ratiosTo("bullmq"), brpop: ratiosTo("brpop") },
  };
}

function over<R>(rounds: readonly R[], value: (round: R, measure: keyof Figures) => number) {
  const spreads = MEASURES.map((measure) => [measure, spread(rounds.map((round) => value(round, measure)))]);
  return Object.fromEntries(spreads) as Record<keyof Figures, Spread>;
}
