/** Whoever asked for it is told how a job ended, whatever dies meanwhile. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import {
  contract,
  type EncoderIn,
  type JobEnded,
  EncoderIn as Question,
  queues,
  redisNames,
} from "#contracts";
import {
  Cancellations,
  Completed,
  Consumer,
  connectBlocking,
  connectWorker,
  Fail,
  type QueueRedis,
} from "#queue";
import { carriers, type KeyedGateways, startKeyedGateways } from "../../support/keyed.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";

setDefaultTimeout(60_000);

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const SERVER_SECRET = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
const WEBHOOK_ALLOW_PRIVATE = "127.0.0.1/32";

interface Delivered {
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

let gateways: KeyedGateways;
let url: string;
let secret: string;
let sender: TestProcess;
let answer: (delivered: Delivered) => Response | Promise<Response> = () => new Response();
const delivered: Delivered[] = [];
let arrived = Promise.withResolvers<void>();
const receiver = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const one = { path: new URL(request.url).pathname, headers: request.headers, body: await request.text() };
    delivered.push(one);
    arrived.resolve();
    arrived = Promise.withResolvers();
    return answer(one);
  },
});

beforeAll(async () => {
  gateways = await startKeyedGateways(2, {
    WEBHOOK_ALLOW_PRIVATE,
    WEBHOOK_SECRET: SERVER_SECRET,
    QUERY_TIMEOUT_MS: "3000",
  });
  url = gateways.urls[0]!;
  secret = await gateways.key();
  sender = await startSender();
});
afterAll(async () => {
  await receiver.stop(true);
  await sender.stop();
  await gateways.stop();
});

async function startSender(): Promise<TestProcess> {
  const { url: REDIS_URL } = gateways.redis;
  const started = startProcess("apps/webhooks/main.ts", {
    REDIS_URL,
    WEBHOOK_ALLOW_PRIVATE,
    WEBHOOK_SECRET: SERVER_SECRET,
    METRICS_PORT: "0",
    DRAIN_SECONDS: "0",
    LEASE_MS: "1000",
  });
  await started.line("taking messages");
  return started;
}

/** In place of the line: answers questions, but for those that say that they fail. */
function startLine(): { stop(): Promise<void> } {
  const { url: redis_url } = gateways.redis;
  const redis = connectWorker(redis_url, () => {}) as QueueRedis;
  const [blocking, notices] = [connectBlocking(redis_url, () => {}), connectBlocking(redis_url, () => {})];
  const names = redisNames();
  const consumer = new Consumer({
    stage: "encoder",
    from: { ...queues.encoderIn, message: contract(Question) },
    to: queues.retrieverIn,
    handle: async (jobs) => jobs.map(answered),
    batch: 1,
    concurrency: 1,
    prefetch: 1,
    redis,
    blocking,
    names,
    lease: { url: redis_url, lease_ms: 5_000, max_deliveries: 3, stall_ms: 10_000 },
    cancellations: new Cancellations(notices, names, redis),
    observe() {},
  });
  consumer.start();
  return {
    async stop() {
      await consumer.stop(1_000);
      for (const connection of [redis, blocking, notices]) connection.disconnect();
    },
  };
}

function answered({ job_id, query, selected_replica }: EncoderIn) {
  if (query === "fail") return new Fail("replica_failed", "no replica answered");
  const said = { answer: `Yes, ${query}`, sources: [], selected_replica, worker: "w" };
  return new Completed({ job_id, timings: {}, status: "ok", ...said });
}

async function submit(query: string, more: object = {}, at = url, headers?: Record<string, string>) {
  const webhook = { url: `http://127.0.0.1:${receiver.port}/${query}`, secret: SECRET, ...more };
  return fetch(`${at}/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(headers ?? { "x-api-key": secret }) },
    body: JSON.stringify({ query, webhook }),
  });
}

async function accepted(query: string, more: object = {}, at = url): Promise<string> {
  const response = await submit(query, more, at);
  expect(response.status).toBe(202);
  return (await response.json()).job_id;
}

/** The first `count` deliveries at the path of a question, when they have come. */
async function deliveriesOf(query: string, count = 1): Promise<(Delivered & { event: JobEnded })[]> {
  for (;;) {
    const { promise } = arrived;
    const found = delivered.filter(({ path }) => path === `/${query}`);
    if (found.length >= count) return found.map((one) => ({ ...one, event: JSON.parse(one.body) }));
    await promise;
  }
}

function expectSigned({ headers, body }: Delivered, by: string): void {
  const [id, timestamp] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
  const key = Buffer.from(by.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  expect(headers.get("webhook-signature")).toBe(`v1,${signature}`);
  expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(60);
}

test("an answer, a fault and a cancellation are told as they are, signed by the job's secret", async () => {
  const cancelled = await accepted("cancel");
  await fetch(`${url}/jobs/${cancelled}`, { method: "DELETE", headers: { "x-api-key": secret } });
  const [of_cancelled] = await deliveriesOf("cancel");
  expect(of_cancelled!.event).toMatchObject({
    type: "job.cancelled",
    data: { job_id: cancelled, state: "cancelled", error: { code: "cancelled" } },
  });
  const line = startLine();
  const done = await accepted("ask");
  const failed = await accepted("fail");
  const [of_done] = await deliveriesOf("ask");
  const [of_failed] = await deliveriesOf("fail");
  await line.stop();
  expect(of_done!.event).toEqual({
    type: "job.done",
    timestamp: expect.any(String),
    data: {
      job_id: done,
      state: "done",
      result: expect.objectContaining({ job_id: done, answer: "Yes, ask", sources: [] }),
    },
  });
  expect(Date.now() - Date.parse(of_done!.event.timestamp)).toBeWithin(0, 60_000);
  expect(of_failed!.event).toMatchObject({
    type: "job.failed",
    data: { job_id: failed, state: "failed", error: { code: "replica_failed" } },
  });
  for (const one of [of_cancelled, of_done, of_failed]) expectSigned(one!, SECRET);
  expect(of_done!.headers.get("content-type")).toBe("application/json");
});

test("a job that nobody works on is told as expired, by the server's secret where it brought none", async () => {
  const job_id = await accepted("expire", { secret: undefined });
  const [told] = await deliveriesOf("expire");
  expect(told!.event).toMatchObject({
    type: "job.expired",
    data: { job_id, state: "expired", error: { code: "deadline_exceeded" } },
  });
  expectSigned(told!, SERVER_SECRET);
  await gateways.redis.client.del(queues.encoderIn.name);
});

test("a job whose gateway is killed is told of all the same", async () => {
  const [, other] = gateways.processes;
  const job_id = await accepted("killed-gateway", {}, gateways.urls[1]!);
  other!.child.kill("SIGKILL");
  await other!.child.exited;
  const line = startLine();
  const [told] = await deliveriesOf("killed-gateway");
  await line.stop();
  expect(told!.event.data.job_id).toBe(job_id);
});

test("a receiver that fails, or whose sender is killed, is told again: the same, under the same id", async () => {
  let tries = 0;
  answer = () => (++tries === 1 ? new Response(null, { status: 503 }) : new Promise<Response>(() => {}));
  const line = startLine();
  await accepted("again");
  await line.stop();
  await deliveriesOf("again", 2);
  answer = () => new Response();
  sender.child.kill("SIGKILL");
  sender = await startSender();
  const told = await deliveriesOf("again", 3);
  expect(new Set(told.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
  expect(new Set(told.map(({ body }) => body)).size).toBe(1);
  for (const one of told) expectSigned(one, SECRET);
});

test("deliveries are counted", async () => {
  const line = startLine();
  await accepted("counted");
  await deliveriesOf("counted");
  await line.stop();
  const { port } = JSON.parse(await sender.line('"msg":"health server"'));
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  while (
    !/ragline_webhook_deliveries_total\{outcome="delivered",app="webhooks"\} [1-9]/.test(await metrics())
  ) {}
});

test.each(carriers)(
  "with a key in %s a webhook that leads inside is refused, and not queued",
  async (_, carry) => {
    const depth = await gateways.redis.client.llen(queues.encoderIn.name);
    for (const target of [
      "http://169.254.169.254/latest/meta-data",
      "http://[::ffff:10.0.0.1]/",
      "http://2130706434/",
      "http://0x7f.0.0.2/",
      "http://user:secret@example.com/",
      "ftp://example.com/",
      "http://127.0.0.2\\@example.com/",
      "x",
    ]) {
      const response = await submit("inside", { url: target }, url, carry(secret));
      expect([target, response.status]).toEqual([target, 400]);
      expect((await response.json()).error.code).toBe("invalid_webhook");
    }
    for (const more of [
      { secret: "short" },
      { headers: { host: "x" } },
      { job_id: "another's" },
      { url: 1 },
    ]) {
      expect((await submit("inside", more, url, carry(secret))).status).toBe(400);
    }
    expect(await gateways.redis.client.llen(queues.encoderIn.name)).toBe(depth);
  },
);

test("the same Idempotency-Key with another webhook is a mistake, and the first one stands", async () => {
  const headers = { "x-api-key": secret, "idempotency-key": "once" };
  expect((await submit("once", {}, url, headers)).status).toBe(202);
  expect((await submit("once", {}, url, headers)).status).toBe(202);
  const other = await submit("once", { url: `http://127.0.0.1:${receiver.port}/other` }, url, headers);
  expect(other.status).toBe(422);
  const line = startLine();
  await deliveriesOf("once");
  await line.stop();
  expect(delivered.filter(({ path }) => path === "/once" || path === "/other")).toHaveLength(1);
});

test("another tenant is told of its own job only, though it uses the same Idempotency-Key", async () => {
  const of = async (tenant: string) => ({
    "x-api-key": await gateways.key({ tenant }),
    "idempotency-key": "shared",
  });
  const [theirs, mine] = [
    await (await submit("theirs", {}, url, await of("theirs"))).json(),
    await (await submit("mine", {}, url, await of("mine"))).json(),
  ];
  expect(mine.job_id).not.toBe(theirs.job_id);
  const line = startLine();
  const [[of_theirs], [of_mine]] = [await deliveriesOf("theirs"), await deliveriesOf("mine")];
  await line.stop();
  expect(of_theirs!.event.data.job_id).toBe(theirs.job_id);
  expect(of_mine!.event.data).toMatchObject({ job_id: mine.job_id, result: { answer: "Yes, mine" } });
});

test("neither the log nor the job's state shows a webhook's secret or its path", async () => {
  const job_id = await accepted("hidden");
  const state = await fetch(`${url}/jobs/${job_id}`, { headers: { "x-api-key": secret } });
  expect(await state.text()).not.toContain("hidden");
  await gateways.redis.client.del(queues.encoderIn.name);
  for (const program of [sender, ...gateways.processes]) {
    for (const hidden of [SECRET, SERVER_SECRET, "/again", "/hidden"]) {
      expect(program.stdout() + program.stderr()).not.toContain(hidden);
    }
  }
});
