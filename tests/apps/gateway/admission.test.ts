/** What the gateway accepts, and how often. The line behind it is played by hand. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { EncoderIn } from "#contracts";
import { connectWorker, type QueueRedis } from "#queue";
import { ask } from "../../support/line.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const QUEUE = "job:encoder_in";

let redis: TestRedis;
let gateway: TestProcess;
let url: string;

beforeEach(async () => {
  redis = await startRedis();
  gateway = startProcess("apps/gateway/main.ts", {
    REDIS_URL: redis.url,
    PORT: "0",
    MAX_QUEUE_DEPTH: "2",
    DRAIN_SECONDS: "1",
  });
  url = JSON.parse(await gateway.line('"msg":"listening"')).url;
});
afterEach(async () => {
  await gateway.stop();
  await redis.stop();
});

const withKey = (key: string) => ({
  headers: { "content-type": "application/json", "idempotency-key": key },
});

/** Takes a job from the line, and answers it. */
async function answerOne(): Promise<EncoderIn> {
  const client = redis.client.duplicate();
  const [, message] = (await client.brpop(QUEUE, 10))!;
  client.disconnect();
  const job = JSON.parse(message) as EncoderIn;
  const { job_id, selected_replica } = job;
  const answer = {
    job_id,
    status: "ok",
    answer: "Yes.",
    sources: [],
    selected_replica,
    worker: "w",
    timings: {},
  };
  await redis.client.set(`job:completion:${job_id}`, JSON.stringify(answer), "EX", 60);
  await redis.client.publish(`job:done:${job.reply_to}`, job_id);
  return job;
}

async function depth(expected: number): Promise<void> {
  await until(
    () => redis.client.llen(QUEUE),
    (found) => found === expected,
  );
}

test("the same key gives the same job and the same answer, at once and afterwards", async () => {
  const question = { query: "What is a queue?" };
  const both = [ask(url, question, withKey("k")), ask(url, question, withKey("k"))];
  const job = await answerOne();
  for (const { status, body } of await Promise.all(both)) {
    expect(status).toBe(200);
    expect(body.job_id).toBe(job.job_id);
  }
  const again = await ask(url, question, withKey("k"));
  expect(again.body).toMatchObject({ job_id: job.job_id, answer: "Yes." });
  expect(await redis.client.llen(QUEUE)).toBe(0);
  expect((await redis.client.keys("llm:*")).filter((key) => /^llm:(load|inflight)/.test(key))).toEqual([]);
});

test("a client that hung up comes back for its answer with its key", async () => {
  const client = new AbortController();
  const left = ask(url, { query: "What is a queue?" }, { ...withKey("k"), signal: client.signal });
  await depth(1);
  client.abort();
  await expect(left).rejects.toThrow();
  const back = ask(url, { query: "What is a queue?" }, withKey("k"));
  const job = await answerOne();
  expect((await back).body.job_id).toBe(job.job_id);
});

test("a key that was used for another question is refused", async () => {
  const first = ask(url, { query: "What is a queue?" }, withKey("k"));
  await depth(1);
  const other = await ask(url, { query: "What is a stack?" }, withKey("k"));
  expect(other.status).toBe(422);
  expect(other.body.error.code).toBe("idempotency_key_reused");
  await answerOne();
  expect((await first).status).toBe(200);
});

test("a full line refuses with 429 and Retry-After, and takes questions again when there is room", async () => {
  const accepted = [ask(url, { query: "one" }), ask(url, { query: "two" })];
  await depth(2);
  const { status, headers, body } = await ask(url, { query: "three" });
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeWithin(1, 61);
  expect(body.error.code).toBe("line_full");
  await answerOne();
  const later = ask(url, { query: "three" });
  await answerOne();
  await answerOne();
  for (const one of [...accepted, later]) expect((await one).status).toBe(200);
});

test("Retry-After is what the line needs for those that wait, whichever gateway they came by", async () => {
  const accepted = [ask(url, { query: "one" }), ask(url, { query: "two" })];
  await depth(2);
  const worker = connectWorker(redis.url, () => {}) as QueueRedis;
  for (const id of ["a", "b", "c", "d"]) {
    await worker.lpush("held", id);
    const told = [60, 1, id, "{}", "job:done:another-gateway", id] as const;
    await worker.queueComplete(4, "held", "deliveries", "job:llm_in", `job:completion:${id}`, ...told);
  }
  worker.disconnect();
  const { headers } = await ask(url, { query: "three" });
  expect(Number(headers.get("retry-after"))).toBeWithin(5, 7); // two of them, at four in ten seconds
  for (const _ of accepted) await answerOne();
  await Promise.all(accepted);
});

test("SIGTERM: the gateway answers what it has, refuses what is new, and goes", async () => {
  const last = ask(url, { query: "the last one" });
  await depth(1);
  gateway.child.kill("SIGTERM");
  await gateway.line('"msg":"stopping"');
  const refused = await ask(url, { query: "too late" });
  expect(refused).toMatchObject({ status: 503, body: { error: { code: "stopping" } } });
  await answerOne();
  expect((await last).status).toBe(200);
  expect(await gateway.child.exited).toBe(0);
});
