/** What the line itself costs: three stages that answer at once, at concurrency 1. */
import { measure } from "mitata";
import { ask } from "../tests/support/line.ts";
import { startProcess } from "../tests/support/process.ts";
import { startRedis } from "../tests/support/redis.ts";
import { interleave, shown, spread } from "./rounds.ts";

const ROUNDS = 7;
const REQUESTS = 300;

export async function benchLine(): Promise<void> {
  const redis = await startRedis({
    appendonly: "yes",
    dir: "/tmp",
    appendfilename: `bench-${process.pid}.aof`,
  });
  const env = { REDIS_URL: redis.url, PORT: "0", LOG_LEVEL: "info" };
  const stages = ["encoder", "retriever", "llm"].map((stage) =>
    startProcess("bench/programs/instant-stage.ts", env, [stage]),
  );
  const gateways = [
    startProcess("bench/programs/plain-gateway.ts", env, ["direct"]),
    startProcess("apps/gateway/main.ts", env),
    startProcess("bench/programs/plain-gateway.ts", env, ["polling"]),
  ];
  await Promise.all(stages.map((stage) => stage.line("taking messages")));
  const [direct, line, polling] = await Promise.all(
    gateways.map(async (gateway) => JSON.parse(await gateway.line('"msg":"listening"')).url as string),
  );
  const results = await interleave(ROUNDS, {
    direct: () => p50(direct!, REQUESTS),
    line: () => p50(line!, REQUESTS),
    polling: () => p50(polling!, 20),
  });
  const added = results.line.map((ms, i) => ms - results.direct[i]!);
  const rows = {
    "POST /query, no line behind it": results.direct,
    "POST /query through three hops": results.line,
    "the same, completion polled every 50 ms": results.polling,
    "added by the three hops": added,
  };
  console.log(`\nThe line itself: P50 at concurrency 1, ms; median of ${ROUNDS} rounds (range)`);
  for (const [name, values] of Object.entries(rows))
    console.log(`  ${name.padEnd(42)} ${shown(spread(values))}`);
  console.log(`  to reach: at most 3 ms added`);
  await Promise.all([...stages, ...gateways].map((process) => process.stop()));
  await redis.stop();
}

async function p50(url: string, requests: number): Promise<number> {
  const options = { min_samples: requests, max_samples: requests, warmup_samples: 5, min_cpu_time: 0 };
  const stats = await measure(async () => {
    const { status } = await ask(url, { query: "What is a queue?" });
    if (status !== 200) throw new Error(`answered with ${status}`);
  }, options);
  return stats.p50 / 1e6;
}
