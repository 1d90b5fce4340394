/** Jobs: what becomes of them, what stops them, and what is said of those that cannot be stopped. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { EncoderIn, ErrorBody, JobStatus } from "#contracts";
import { ask } from "../../support/line.ts";
import type { TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { complete, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

const QUEUE = "job:encoder_in";
const QUESTION = { query: "What is a queue?" };

let redis: TestRedis;
let gateways: TwoGateways;
let url: string;
let other_url: string;

beforeAll(async () => {
  gateways = await startTwoGateways();
  ({ redis, url, other_url } = gateways);
});
beforeEach(() => redis.client.flushall());
afterAll(() => gateways.stop());

async function remove(at: string, job_id: string) {
  const response = await fetch(`${at}/jobs/${job_id}`, { method: "DELETE" });
  return { status: response.status, body: await response.json() };
}

/** The job that waits on the line, once it does. */
async function waitingJob(): Promise<EncoderIn> {
  return JSON.parse((await until(() => redis.client.lindex(QUEUE, 0)))!);
}

const answer = (job: EncoderIn, more: object = {}) => complete(redis, job, more);

async function accept(body: object = QUESTION, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function look(at: string, path: string) {
  const response = await fetch(`${at}${path}`);
  return { status: response.status, body: (await response.json()) as JobStatus & ErrorBody };
}

test("a job is accepted at once, and its place in the queue and its answer are to be had at any gateway", async () => {
  const first = await accept();
  const second = await accept();
  expect(second.status).toBe(202);
  const { job_id } = second.body;
  const location = second.headers.get("location")!;
  expect(location).toBe(`/jobs/${job_id}`);
  const queued = await look(other_url, location);
  expect(queued).toMatchObject({
    status: 200,
    body: { job_id, state: "queued", stage: "encoder", position: 2, deadline: expect.any(Number) },
  });
  expect(await look(url, `/jobs/${first.body.job_id}`)).toMatchObject({ body: { position: 1 } });
  await answer(await waitingJob());
  const done = await look(other_url, location);
  expect(done.body).toMatchObject({ job_id, state: "done", result: { job_id, answer: "Yes.", sources: [] } });
  expect(done.body.position).toBeUndefined();
});

test("a job on its way is found where it is", async () => {
  const { body } = await accept();
  const { job_id } = body;
  await redis.client.zadd("job:encoder_in:consumers", Date.now() + 60_000, "a-consumer");
  await redis.client.lmove("job:encoder_in", "job:encoder_in:processing:a-consumer", "RIGHT", "LEFT");
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({ state: "working", stage: "encoder" });
  const [message] = await redis.client.lrange("job:encoder_in:processing:a-consumer", 0, -1);
  await redis.client.del("job:encoder_in:processing:a-consumer");
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({ job_id, state: "working" });
  const others = Array.from({ length: 250 }, (_, i) => JSON.stringify({ job_id: `other-${i}` }));
  await redis.client.rpush("job:llm_in", message!, ...others);
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({
    state: "queued",
    stage: "llm",
    position: 251,
  });
});

test("a job that failed says why", async () => {
  const { job_id } = (await accept()).body;
  await answer(await waitingJob(), {
    status: "error",
    stage: "llm",
    code: "replica_failed",
    message: "none",
  });
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({
    state: "failed",
    error: { code: "replica_failed", message: "none" },
  });
});

test("a document's job is done when it is indexed", async () => {
  const response = await fetch(`${url}/documents`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ content: "A queue is a line.", format: "text" }),
  });
  const { job_id, document_id } = await response.json();
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({ job_id, state: "working" });
  const completion = { job_id, timings: {}, status: "ok", document_id, chunks: 1 };
  await redis.client.set(`job:completion:${job_id}`, JSON.stringify(completion), "EX", 60);
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({ job_id, state: "done" });
});

test("a cancelled job says so", async () => {
  const { job_id } = (await accept()).body;
  await remove(other_url, job_id);
  expect((await look(url, `/jobs/${job_id}`)).body).toMatchObject({
    state: "cancelled",
    error: { code: "cancelled" },
  });
});

test("the same Idempotency-Key is the same job", async () => {
  const key = { "idempotency-key": "k" };
  const [first, again] = [await accept(QUESTION, key), await accept(QUESTION, key)];
  expect(again.body).toEqual(first.body);
  expect(await redis.client.llen(QUEUE)).toBe(1);
  expect(await accept({ query: "What is a stack?" }, key)).toMatchObject({ status: 422 });
});

test("another tenant's job is as one that nobody knows", async () => {
  const { job_id } = (await accept()).body;
  const record = JSON.parse((await redis.client.get(`job:accepted:${job_id}`))!);
  expect(record.tenant).toBe("default");
  await redis.client.set(`job:accepted:${job_id}`, JSON.stringify({ ...record, tenant: "another" }));
  const unknown = { status: 404, body: { error: { code: "not_found" }, job_id } };
  expect(await look(url, `/jobs/${job_id}`)).toMatchObject(unknown);
  expect(await look(url, `/jobs/${job_id}/events`)).toMatchObject(unknown);
  expect(await remove(url, job_id)).toMatchObject(unknown);
  expect(await redis.client.exists("job:cancelled")).toBe(0);
});

test("a job that waits is stopped, and its client told; again is the same again", async () => {
  const asking = ask(url, QUESTION);
  const { job_id } = await waitingJob();
  expect(await remove(url, job_id)).toEqual({ status: 202, body: { job_id } });
  expect(await asking).toMatchObject({ status: 409, body: { error: { code: "cancelled" }, job_id } });
  expect(await remove(url, job_id)).toEqual({ status: 202, body: { job_id } });
});

test("any gateway stops any job, with an Idempotency-Key too", async () => {
  const headers = { "content-type": "application/json", "idempotency-key": "k" };
  const asking = ask(url, QUESTION, { headers });
  const { job_id } = await waitingJob();
  expect((await remove(other_url, job_id)).status).toBe(202);
  expect(await asking).toMatchObject({ status: 409, body: { error: { code: "cancelled" } } });
  const again = await ask(other_url, QUESTION, { headers });
  expect(again).toMatchObject({ status: 409, body: { error: { code: "cancelled" }, job_id } });
});

test("a job that was answered is 409, with its status", async () => {
  const asking = ask(url, QUESTION);
  const job = await waitingJob();
  await answer(job);
  await asking;
  expect(await remove(url, job.job_id)).toEqual({
    status: 409,
    body: { error: { code: "already_done", message: expect.stringContaining("ok") }, job_id: job.job_id },
  });
});

test("a job that nobody knows is 404", async () => {
  expect(await remove(url, "nobody's")).toEqual({
    status: 404,
    body: { error: { code: "not_found", message: expect.any(String) }, job_id: "nobody's" },
  });
});

test("a client that hangs up cancels its job, for workers that start later too", async () => {
  const client = new AbortController();
  const asking = ask(url, QUESTION, { signal: client.signal });
  const { job_id } = await waitingJob();
  client.abort();
  await expect(asking).rejects.toThrow();
  await until(() => redis.client.exists(`job:completion:${job_id}`));
  const [[, fields] = []] = await redis.client.xrange("job:cancelled", "-", "+");
  expect(fields).toContain(job_id);
});
