/** What a question waits for its vector while the indexer embeds documents beside the encoder, by the indexer's niceness. */
import { join } from "node:path";
import { Durations } from "../loadtest/durations.ts";
import { shown, spread } from "../rounds.ts";
import { EngineClient } from "./engine-client.ts";
import { buildLoads } from "./loads.ts";

const NICENESSES = [0, 10, 19];
const QUESTIONS_A_ROUND = 60;
const BETWEEN_QUESTIONS_MS = 20;

export async function benchBesideDocuments({
  rounds,
  json,
}: {
  rounds: number;
  json: boolean;
}): Promise<void> {
  const questions = (await buildLoads(QUESTIONS_A_ROUND))["short queries"];
  const encoder = new EngineClient("fp32", "");
  await encoder.turn(questions);
  const indexers = await Promise.all(NICENESSES.map(startIndexer));
  const latencies: Record<string, { p50: number[]; p99: number[] }> = {};
  const measure = async (beside: string) => {
    const durations = new Durations();
    for (const question of questions) {
      durations.record((await encoder.turn([question])).p50_ms);
      await Bun.sleep(BETWEEN_QUESTIONS_MS);
    }
    latencies[beside] ??= { p50: [], p99: [] };
    latencies[beside].p50.push(durations.percentile(50)!);
    latencies[beside].p99.push(durations.percentile(99)!);
  };
  for (let round = 0; round < rounds; round++) {
    await measure("nothing beside it");
    for (const [i, indexer] of indexers.entries()) {
      indexer.kill("SIGCONT");
      await measure(`documents at niceness ${NICENESSES[i]}`);
      indexer.kill("SIGSTOP");
    }
  }
  for (const indexer of indexers) indexer.kill("SIGKILL");
  await encoder.stop();
  const table = Object.entries(latencies).map(([beside, { p50, p99 }]) => {
    return { beside, p50_ms: spread(p50), p99_ms: spread(p99) };
  });
  if (json) return console.log(JSON.stringify(table));
  console.log(`One question's vector, ms; medians of ${rounds} rounds of ${QUESTIONS_A_ROUND} (range)`);
  for (const { beside, p50_ms, p99_ms } of table)
    console.log(`  ${beside.padEnd(28)} P50 ${shown(p50_ms, 1).padEnd(22)} P99 ${shown(p99_ms, 1)}`);
}

/** Loaded, and stopped until its turn. */
function startIndexer(niceness: number): Promise<Bun.Subprocess> {
  return new Promise((resolve) => {
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "documents-process.ts"), String(niceness)],
      {
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
        ipc: () => {
          child.kill("SIGSTOP");
          resolve(child);
        },
      },
    );
  });
}
