/** Replicas that take 100 ms and serve 32 at once, 50 clients that repeat their questions. */
import { startLine } from "../tests/support/line.ts";
import { run } from "./closed-loop-run.ts";
import { shown, spread } from "./rounds.ts";

const ROUNDS = 5;
const CLIENTS = 50;
const REQUESTS = 1_000;
const DELAY_MS = 100;

export async function benchReplicas(): Promise<void> {
  const replica = { MOCK_DELAY_MS: String(DELAY_MS), MOCK_CONCURRENCY: "32" };
  const line = await startLine({ workers: 3, replicas: [replica, replica, replica], documents: ["corpus"] });
  await run(line.url, 200, CLIENTS);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run(line.url, REQUESTS, CLIENTS));
  await line.stop();

  const p50 = rounds.map((round) => round.latency_ms.p50 ?? Number.NaN);
  const encoder = rounds.map((round) => {
    const stage = round.stages.encoder!;
    return (stage.waited.p50 ?? 0) + (stage.worked.p50 ?? 0);
  });
  const beyond = p50.map((ms, i) => ms - DELAY_MS - encoder[i]!);
  const unevenness = rounds.map(({ replicas }) => {
    const even = REQUESTS / 3;
    return Math.max(...Object.values(replicas).map((count) => (100 * Math.abs(count - even)) / even));
  });
  console.log(`\nReplicas of ${DELAY_MS} ms, ${CLIENTS} clients; median of ${ROUNDS} rounds (range)`);
  console.log(`  P50, ms                                    ${shown(spread(p50), 1)}`);
  console.log(`  what the encoder needs (P50), ms           ${shown(spread(encoder), 1)}`);
  console.log(`  beyond the replica and the encoder, ms     ${shown(spread(beyond), 1)}`);
  console.log(`  furthest replica from an even share, %     ${shown(spread(unevenness), 1)}`);
  console.log(
    `  to reach: P50 at most ${DELAY_MS} ms and what the encoder needs; within 15 % of an even share`,
  );
}
