/** The encoder as a process, with more to do than it can do at once. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { queues } from "#contracts";
import { ensureModel } from "#embedding";
import { encoderJob } from "../../support/jobs.ts";
import { startProcess } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";

setDefaultTimeout(120_000);

const BLOCK_MS = 250;
const JOBS = 16;

await ensureModel({ directory: ".models" });
const redis = await startRedis();
const encoder = startProcess("apps/encoder/main.ts", {
  REDIS_URL: redis.url,
  ENCODER_MAX_BLOCK_MS: String(BLOCK_MS),
  METRICS_PORT: "0",
});
afterAll(async () => {
  await encoder.stop();
  await redis.stop();
});

test("health is answered under a long load, within the bound of one inference", async () => {
  const { port } = JSON.parse(await encoder.line('"msg":"health server"'));
  await encoder.line("taking messages");
  // Unsplit, sixteen of these take several times the bound.
  const jobs = Array.from({ length: JOBS }, (_, i) =>
    JSON.stringify(encoderJob({ query: `number ${i} and so on `.repeat(24) })),
  );
  await redis.client.lpush(queues.encoderIn.name, ...jobs);
  const answered_ms: number[] = [];
  while ((await redis.client.llen(queues.retrieverIn.name)) < JOBS) {
    const asked = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    expect(response.status).toBe(200);
    answered_ms.push(performance.now() - asked);
  }
  const median = answered_ms.toSorted((a, b) => a - b)[Math.floor(answered_ms.length / 2)]!;
  expect(median).toBeLessThan(BLOCK_MS);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain(`ragline_encoder_questions_total{origin="model",app="encoder"} ${JOBS}`);
  const inferences = Number(/^ragline_encoder_inference_seconds_count\S* (\d+)/m.exec(metrics)![1]);
  expect(inferences).toBeGreaterThan(JOBS / 16);
});
