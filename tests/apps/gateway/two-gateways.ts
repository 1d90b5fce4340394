/** Two gateways on one Redis; the line behind them is played by hand. */
import type { EncoderIn } from "#contracts";
import { startProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

export interface TwoGateways {
  readonly redis: TestRedis;
  readonly url: string;
  readonly other_url: string;
  stop(): Promise<void>;
}

export async function startTwoGateways(env: Record<string, string> = {}): Promise<TwoGateways> {
  const redis = await startRedis();
  const settings = { REDIS_URL: redis.url, PORT: "0", DRAIN_SECONDS: "1", ...env };
  const gateways = [1, 2].map(() => startProcess("apps/gateway/main.ts", settings));
  const listening = await Promise.all(gateways.map((gateway) => gateway.line('"msg":"listening"')));
  const [url, other_url] = listening.map((line) => JSON.parse(line).url) as [string, string];
  return {
    redis,
    url,
    other_url,
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await redis.stop();
    },
  };
}

/** Completes a job as a worker does: with an answer, unless `more` says otherwise. */
export async function complete(
  { client }: TestRedis,
  { job_id, reply_to, selected_replica }: EncoderIn,
  more: object = {},
): Promise<void> {
  const answered = { status: "ok", answer: "Yes.", sources: [], selected_replica, worker: "w" };
  const completion = { job_id, timings: {}, ...answered, ...more };
  await client.set(`job:completion:${job_id}`, JSON.stringify(completion), "EX", 60);
  await client.publish(`job:done:${reply_to}`, job_id);
}
