/** What clients see when something behind the gateway fails; the counts come back each time. */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { freePort } from "../support/free-port.ts";
import { ask, startLine, type TestLine } from "../support/line.ts";
import { type MockReplica, startMockReplica } from "../support/mock-replica.ts";
import { startProcess } from "../support/process.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const QUESTION = { query: "What is a cache?" };
const GOOD = { MOCK_DELAY_MS: "5" };

let data_dir: string;
let line: TestLine;
let balancer: Balancer;
/** Of the line now. */
let replicas: MockReplica[] = [];

beforeAll(async () => {
  data_dir = mkdtempSync(join(tmpdir(), "ragline-failures-"));
  line = await startLine({
    documents: ["corpus/caching.md"],
    replicas: [GOOD],
    env: { DATA_DIR: data_dir, LLM_FIRST_TOKEN_MS: "1000", SLOW_START_MS: "0" },
  });
  balancer = new Balancer(line.redis.client, redisNames(), DEFAULT_SETTINGS);
});
afterEach(() => Promise.all(replicas.splice(0).map((replica) => replica.stop())));
afterAll(async () => {
  await line.stop();
  rmSync(data_dir, { recursive: true, force: true });
});

/** These replicas, in place of those that the line had. */
async function use(...settings: Record<string, string>[]): Promise<void> {
  replicas = await Promise.all(settings.map(startMockReplica));
  for (const { url } of await balancer.view()) await balancer.change(url, "removed");
  for (const { url } of replicas) await balancer.change(url, "active");
}

async function idle(): Promise<void> {
  const names = replicas.map(({ url }) => `llm:load:${url}`);
  await until(
    () => line.redis.client.mget(names),
    (loads) => loads.every((load) => Number(load) === 0),
  );
}

test("a replica that refuses, one that hangs and one that answers rubbish do not reach the client", async () => {
  await use({ MOCK_FAILURE_RATE: "1" }, { MOCK_HANG_RATE: "1" }, { MOCK_GARBAGE_RATE: "1" }, GOOD);
  const replies = await Promise.all(Array.from({ length: 12 }, () => line.ask(QUESTION)));
  for (const { status, body } of replies) {
    expect(status).toBe(200);
    expect(body.selected_replica).toBe(replicas[3]!.url);
  }
  await idle();
});

test("a replica that dies midway is given up for another", async () => {
  await use({ MOCK_CUT_RATE: "1" }, GOOD);
  const replies = await Promise.all(Array.from({ length: 8 }, () => line.ask(QUESTION)));
  expect(replies.map((reply) => reply.status)).toEqual(Array(8).fill(200));
  await idle();
});

test("when every replica fails, the client gets 502 with the reasons", async () => {
  await use({ MOCK_FAILURE_RATE: "1" }, { MOCK_GARBAGE_RATE: "1" });
  const { status, body } = await line.ask(QUESTION);
  expect(status).toBe(502);
  expect(body.error.code).toBe("replica_failed");
  for (const { url } of replicas) expect(body.error.message).toContain(url);
  expect(body.job_id).toBeString();
  await idle();
});

test("past its deadline a question is answered with 504 and its job's id", async () => {
  await use({ MOCK_HANG_RATE: "1" });
  const impatient = startProcess("apps/gateway/main.ts", {
    REDIS_URL: line.redis.url,
    LLM_REPLICAS: line.replicas[0]!.url,
    DATA_DIR: data_dir,
    PORT: "0",
    QUERY_TIMEOUT_MS: "400",
    DRAIN_SECONDS: "0",
  });
  const { url } = JSON.parse(await impatient.line('"msg":"listening"'));
  const started = performance.now();
  const { status, body } = await ask(url, QUESTION);
  expect(status).toBe(504);
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(body).toMatchObject({ error: { code: "deadline_exceeded" }, job_id: expect.any(String) });
  await idle();
  await impatient.stop();
});

test("a client that hangs up stops its job: the replica is aborted within 250 ms and given back", async () => {
  await use({ MOCK_HANG_RATE: "1" });
  const client = new AbortController();
  const asking = line.ask(QUESTION, { signal: client.signal });
  await replicas[0]!.until((stats) => stats.in_flight === 1);
  client.abort();
  const hung_up = performance.now();
  await expect(asking).rejects.toThrow();
  await replicas[0]!.until((stats) => stats.aborted === 1 && stats.in_flight === 0);
  expect(performance.now() - hung_up).toBeLessThan(250);
  await idle();
});

test("a job that is deleted is stopped, and its client told", async () => {
  await use({ MOCK_HANG_RATE: "1" });
  const asking = line.ask(QUESTION);
  await replicas[0]!.until((stats) => stats.in_flight === 1);
  const [job_id] = await line.redis.client.zrange(`llm:inflight:${replicas[0]!.url}`, "0", "-1");
  const deleted = await fetch(`${line.url}/jobs/${job_id}`, { method: "DELETE" });
  expect(deleted.status).toBe(202);
  const { status, body } = await asking;
  expect(status).toBe(409);
  expect(body).toMatchObject({ error: { code: "cancelled" }, job_id });
  await replicas[0]!.until((stats) => stats.in_flight === 0);
  await idle();
});

test("nothing in the store: an answer that says so", async () => {
  const empty = await startLine({ replicas: [GOOD] });
  const { status, body } = await empty.ask(QUESTION);
  await empty.stop();
  expect(status).toBe(200);
  expect(body).toMatchObject({ sources: [], answer: expect.stringContaining("nothing about this") });
});

test("Redis down: 503 within a second, and answers again when it is back", async () => {
  await use(GOOD);
  await line.redis.kill();
  const started = performance.now();
  const { status, headers, body } = await line.ask(QUESTION);
  expect(status).toBe(503);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(headers.get("retry-after")).toBe("1");
  expect(body.error.code).toBe("redis_unavailable");
  expect((await fetch(`${line.url}/ready`)).status).toBe(503);
  expect((await fetch(`${line.url}/health`)).status).toBe(200);

  await line.redis.restart();
  const answered = await until(
    () => line.ask(QUESTION),
    ({ status }) => status !== 503,
  );
  expect(answered.status).toBe(200);
});

test("Redis frozen: 503 within a second", async () => {
  await use(GOOD);
  process.kill(line.redis.pid, "SIGSTOP");
  const started = performance.now();
  const { status } = await line.ask(QUESTION);
  expect(status).toBe(503);
  expect(performance.now() - started).toBeLessThan(1_000);
  process.kill(line.redis.pid, "SIGCONT");
  await until(async () => (await line.ask(QUESTION)).status === 200);
});

test("a replica that does not listen is passed over", async () => {
  const closed = `http://127.0.0.1:${freePort()}`;
  await use(GOOD);
  const job = {
    job_id: "by-hand",
    query: "What is a cache?",
    top_k: 1,
    selected_replica: closed,
    submitted_at: Date.now(),
    deadline: Date.now() + 10_000,
    reply_to: "nobody",
    timings: {},
  };
  const subscriber = line.redis.client.duplicate();
  await subscriber.subscribe("job:done:nobody");
  const done = new Promise((resolve) => subscriber.on("message", (_channel, id) => resolve(id)));
  await line.redis.client.lpush("job:encoder_in", JSON.stringify(job));
  await done;
  const completion = JSON.parse((await line.redis.client.get("job:completion:by-hand"))!);
  expect(completion).toMatchObject({ status: "ok", selected_replica: replicas[0]!.url });
  subscriber.disconnect();
});
