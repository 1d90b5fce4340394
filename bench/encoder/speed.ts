/** How fast each engine embeds each load: interleaved rounds, one engine at work at a time. */
import { startRedis } from "../../tests/support/redis.ts";
import { shown, spread } from "../rounds.ts";
import { EngineClient } from "./engine-client.ts";
import type { Turn } from "./engine-process.ts";
import { described, type EngineName, engineNames } from "./engines.ts";
import { buildLoads, type LoadName, loadNames } from "./loads.ts";

type Table = Record<LoadName, Record<EngineName, Turn[]>>;

export interface SpeedOptions {
  readonly rounds: number;
  /** Texts of the mixed load. */
  readonly texts: number;
  readonly json: boolean;
}

export async function benchSpeed({ rounds, texts, json }: SpeedOptions): Promise<void> {
  const loads = await buildLoads(texts);
  const redis = await startRedis();
  const clients = engineNames.map((name) => [name, new EngineClient(name, redis.url)] as const);
  const table = {} as Table;
  for (const load of loadNames) {
    const turns = Object.fromEntries(engineNames.map((name) => [name, [] as Turn[]]));
    table[load] = turns as Record<EngineName, Turn[]>;
    // Once unmeasured: code is compiled, and what remembers has something to remember.
    const remembering = new Set<EngineName>(["memory", "redis"]);
    for (const [name, client] of clients) {
      await client.turn(remembering.has(name) ? loads[load] : loads[load].slice(0, 8));
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, client] of clients) table[load][name].push(await client.turn(loads[load]));
    }
  }
  await Promise.all(clients.map(([, client]) => client.stop()));
  await redis.stop();
  if (json) console.log(JSON.stringify(summary(table)));
  else print(table, rounds);
}

const MIXED_TO_REACH = [
  { name: "fp32", against: ["stock-1", "stock-32"], least: 1.5 },
  { name: "int8", against: ["stock-1", "stock-32"], least: 2 },
  { name: "fp32", against: ["wasm"], least: 8 },
] as const;

/** Round by round, how many times as fast as the best of `against`. */
function times(table: Table, name: EngineName, against: readonly EngineName[]): number[] {
  const { mixed } = table;
  return mixed[name].map((turn, i) => {
    return turn.texts_per_s / Math.max(...against.map((other) => mixed[other][i]!.texts_per_s));
  });
}

function summary(table: Table) {
  const median = (turns: Turn[], of: keyof Turn) => spread(turns.map((turn) => turn[of])).median;
  const loads = Object.fromEntries(
    loadNames.map((load) => [
      load,
      Object.fromEntries(
        engineNames.map((name) => {
          const turns = table[load][name];
          const figures = ["p50_ms", "p99_ms", "padding", "rss_mb"] as const;
          return [
            name,
            {
              texts_per_s: spread(turns.map((turn) => turn.texts_per_s)),
              ...Object.fromEntries(figures.map((figure) => [figure, median(turns, figure)])),
            },
          ];
        }),
      ),
    ]),
  );
  const mixed_times_as_fast = MIXED_TO_REACH.map(({ name, against, least }) => {
    return { name, against, least, reached: spread(times(table, name, against)) };
  });
  return { loads, mixed_times_as_fast };
}

function print(table: Table, rounds: number): void {
  console.log(`Medians of ${rounds} rounds (range). P50 and P99 are of the call that carried a text.`);
  for (const load of loadNames) {
    console.log(`\n${load.padEnd(38)} texts/s                    P50 ms   P99 ms   RSS MB   padding`);
    for (const name of engineNames) {
      const turns = table[load][name];
      const median = (of: keyof Turn) => spread(turns.map((turn) => turn[of])).median;
      const rate = shown(spread(turns.map((turn) => turn.texts_per_s)), 1).padEnd(24);
      const [p50, p99] = [median("p50_ms"), median("p99_ms")].map((ms) => ms.toFixed(1).padStart(8));
      const rss = median("rss_mb").toFixed(0).padStart(8);
      const padding = name === "fp32" || name === "int8" ? `${(100 * median("padding")).toFixed(1)} %` : "";
      console.log(`  ${described[name].padEnd(36)} ${rate} ${p50} ${p99} ${rss}  ${padding.padStart(8)}`);
    }
  }
  console.log("\nOn the mixed load, times as fast, round by round:");
  for (const { name, against, least } of MIXED_TO_REACH) {
    const what = `${name} against ${against.length > 1 ? "the better of the library's" : against[0]}`;
    console.log(`  ${what.padEnd(40)} ${shown(spread(times(table, name, against)))}; to reach: ${least}`);
  }
}
