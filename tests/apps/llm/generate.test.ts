/** A job's count, where its caller leaves in between. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { Cancelled } from "#queue";
import { createLogger } from "#runtime";
import { generate } from "../../../apps/llm/generate.ts";
import { Hedging } from "../../../apps/llm/hedge.ts";
import { balancerMetrics } from "../../../apps/llm/metrics.ts";
import { Places } from "../../../apps/llm/places.ts";
import { replicaClient } from "../../../apps/llm/replica/index.ts";
import { SilenceWatch } from "../../../apps/llm/silence.ts";
import { UNREAD } from "../../../apps/llm/token-streams.ts";
import { llmJob } from "../../support/jobs.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

let server: TestRedis;
const failing = [0, 1].map(() =>
  Bun.serve({ port: 0, fetch: () => new Response("out of order", { status: 500 }) }),
);
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await Promise.all(failing.map((replica) => replica.stop(true)));
  await server.stop();
});

test("a job whose caller left before its call failed, and is cancelled after, is counted nowhere", async () => {
  const urls = failing.map(({ url }) => url.origin);
  const balancer = new Balancer(server.client, redisNames(), DEFAULT_SETTINGS, urls);
  const subscriber = server.client.duplicate();
  const cancelled = new AbortController();
  const generator = {
    balancer,
    client: replicaClient({ api: "ollama", model: "m", first_token_ms: 30_000, between_tokens_ms: 30_000 }),
    places: new Places({ balancer, subscriber, all_open_ms: 0 }),
    hedging: new Hedging({ budget: 0, observe: () => {} }),
    silence: new SilenceWatch({ balancer, on: false, hung: () => {} }),
    metrics: balancerMetrics(new Registry()),
    // It is told of each failure, before the next call.
    log: Object.assign(createLogger("test", "silent"), { warn: () => cancelled.abort(new Cancelled()) }),
  };
  const job = llmJob({ selected_replica: urls[0]! });
  job.selected_replica = await balancer.reserve(job.job_id, job.deadline);
  await balancer.release(job.job_id, job.selected_replica); // its caller leaves; its call counts it again

  const generating = generate(generator, job, { signal: cancelled.signal, begun: () => {}, tokens: UNREAD });
  await expect(generating).rejects.toBeInstanceOf(Cancelled);
  const counted = async () => (await balancer.view()).map(({ load, running }) => [load, running]);
  await until(counted, (counts) => counts.flat().every((count) => count === 0));
  subscriber.disconnect();
});
