/** DELETE /jobs/:id: what it stops, and what it says of jobs that it cannot stop. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { EncoderIn } from "#contracts";
import { ask } from "../../support/line.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const QUEUE = "job:encoder_in";
const QUESTION = { query: "What is a queue?" };

let redis: TestRedis;
let gateways: TestProcess[];
let url: string;
let other_url: string;

beforeAll(async () => {
  redis = await startRedis();
  gateways = [1, 2].map(() => startProcess("apps/gateway/main.ts", { REDIS_URL: redis.url, PORT: "0" }));
  const listening = await Promise.all(gateways.map((gateway) => gateway.line('"msg":"listening"')));
  [url, other_url] = listening.map((line) => JSON.parse(line).url) as [string, string];
});
beforeEach(() => redis.client.flushall());
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await redis.stop();
});

async function remove(at: string, job_id: string) {
  const response = await fetch(`${at}/jobs/${job_id}`, { method: "DELETE" });
  return { status: response.status, body: await response.json() };
}

/** The job that waits on the line, once it does. */
async function waitingJob(): Promise<EncoderIn> {
  for (;;) {
    const message = await redis.client.lindex(QUEUE, 0);
    if (message) return JSON.parse(message);
  }
}

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
  await redis.client.set("job:completion:done", JSON.stringify({ job_id: "done", status: "ok" }));
  expect(await remove(url, "done")).toEqual({
    status: 409,
    body: { error: { code: "already_done", message: expect.stringContaining("ok") }, job_id: "done" },
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
  while (!(await redis.client.exists(`job:completion:${job_id}`))) {}
  const [[, fields] = []] = await redis.client.xrange("job:cancelled", "-", "+");
  expect(fields).toContain(job_id);
});
