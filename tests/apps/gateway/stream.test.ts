/** What a stream of events says, token by token. The line behind the gateways is played by hand. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { AnswerEvent, EncoderIn, FailedCompletion, TokenEntry } from "#contracts";
import { askAlong, followJob, textOf } from "../../support/event-stream.ts";
import type { TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { complete as completeJob, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

const HEARTBEAT_MS = 20;

let redis: TestRedis;
let gateways: TwoGateways;
let url: string;
let other_url: string;

beforeAll(async () => {
  gateways = await startTwoGateways({
    MAX_QUEUE_DEPTH: "20",
    STREAM_HEARTBEAT_MS: String(HEARTBEAT_MS),
  });
  ({ redis, url, other_url } = gateways);
});
beforeEach(() => redis.client.flushall());
afterAll(() => gateways.stop());

/** Takes the job that waits on the line. */
async function takeJob(): Promise<EncoderIn> {
  return JSON.parse((await until(() => redis.client.rpop("job:encoder_in")))!);
}

async function write({ job_id }: EncoderIn, ...entries: TokenEntry[]): Promise<void> {
  for (const entry of entries)
    await redis.client.xadd(`job:tokens:${job_id}`, "*", "entry", JSON.stringify(entry));
}

const complete = (job: EncoderIn, more: object) => completeJob(redis, job, more);

/** The next events, as many as are named. */
async function next(events: AsyncIterator<AnswerEvent>, count: number): Promise<AnswerEvent[]> {
  const read: AnswerEvent[] = [];
  while (read.length < count) read.push((await events.next()).value);
  return read;
}

const names = (events: readonly AnswerEvent[]) => events.map(({ event }) => event);

test("tokens are told as they are written, before there is an answer", async () => {
  const stream = await askAlong(url, "What is a queue?");
  const events = stream.events[Symbol.asyncIterator]();
  expect(names(await next(events, 1))).toEqual(["accepted"]);
  const job = await takeJob();
  expect(job.stream).toBe(true);
  await write(job, { sources: [] }, { begin: "r" }, { run: "r", at: 0, text: "A " });
  expect(names(await next(events, 2))).toEqual(["sources", "token"]);
  await write(job, { run: "r", at: 2, text: "line." });
  expect((await next(events, 1))[0]!.data).toEqual({ text: "line." });
  await complete(job, { answer: "A line." });
  expect(names(await next(events, 1))).toEqual(["done"]);
});

test("a job is read along at a gateway that does not wait for it, which ends with it at once", async () => {
  const asked = await askAlong(url, "What is a queue?");
  const job = await takeJob();
  const stream = await followJob(other_url, job.job_id);
  const events = stream.events[Symbol.asyncIterator]();
  await write(job, { begin: "r" }, { run: "r", at: 0, text: "A line." });
  expect(names(await next(events, 2))).toEqual(["accepted", "token"]);
  await complete(job, { answer: "A line." });
  expect(names(await next(events, 2))).toEqual(["sources", "done"]);
  await asked.all();
});

test("of many streams, each is told its tokens, whether or not the worker says which have grown", async () => {
  const many = [];
  while (many.length < 100) {
    const events = (await askAlong(url, "What is a queue?")).events[Symbol.asyncIterator]();
    many.push({ events, job: await takeJob() });
  }
  for (const [i, { job }] of many.entries()) {
    await write(job, { begin: "r" }, { run: "r", at: 0, text: "A " });
    const { job_id, reply_to } = job;
    if (i % 2) await redis.client.xadd(`job:tokens_wake:${reply_to}`, "*", "jobs", JSON.stringify([job_id]));
  }
  for (const { events } of many) expect((await next(events, 2))[1]!.data).toEqual({ text: "A " });
  for (const { job } of many) await complete(job, { answer: "A line." });
  for (const { events } of many) {
    const rest = await next(events, 3);
    expect(names(rest)).toEqual(["sources", "token", "done"]);
    expect(rest[1]!.data).toEqual({ text: "line." });
  }
});

test("a wake that names nothing known is passed over", async () => {
  const stream = await askAlong(url, "What is a queue?");
  const events = stream.events[Symbol.asyncIterator]();
  const job = await takeJob();
  for (const jobs of ["[", "7", '["nobody\'s"]', "[null]"]) {
    await redis.client.xadd(`job:tokens_wake:${job.reply_to}`, "*", "jobs", jobs);
  }
  await write(job, { begin: "r" }, { run: "r", at: 0, text: "A line." });
  expect(names(await next(events, 2))).toEqual(["accepted", "token"]);
  await complete(job, { answer: "A line." });
  await stream.all();
});

test("an answer that another replica begins anew says so, and what the first still writes is passed over", async () => {
  const stream = await askAlong(url, "What is a queue?");
  const job = await takeJob();
  await write(
    job,
    { sources: [] },
    { begin: "one" },
    { run: "one", at: 0, text: "A qu" },
    { begin: "two" },
    { run: "two", at: 0, text: "It is " },
    { run: "one", at: 4, text: "eue" },
    { run: "two", at: 6, text: "a line." },
  );
  await complete(job, { answer: "It is a line." });
  const events = await stream.all();
  expect(names(events).join()).toBe("accepted,sources,token,reset,token,token,done");
  expect(textOf(events)).toBe("It is a line.");
  for (const [i, { id }] of events.slice(0, -1).entries()) {
    const resumed = await followJob(other_url, job.job_id, id);
    expect(await resumed.all()).toEqual(events.slice(i + 1));
  }
});

test("entries that are written twice are told once", async () => {
  const stream = await askAlong(url, "What is a queue?");
  const job = await takeJob();
  const once: TokenEntry[] = [{ sources: [] }, { begin: "r" }, { run: "r", at: 0, text: "A " }];
  await write(job, ...once, ...once, { run: "r", at: 2, text: "line." });
  await complete(job, { answer: "A line." });
  const events = await stream.all();
  expect(names(events)).toEqual(["accepted", "sources", "token", "token", "done"]);
  expect(textOf(events)).toBe("A line.");
});

test("a worker that writes no tokens has its answer told whole", async () => {
  const stream = await askAlong(url, "What is a queue?");
  await complete(await takeJob(), { answer: "A line." });
  const events = await stream.all();
  expect(names(events)).toEqual(["accepted", "sources", "token", "done"]);
  expect(textOf(events)).toBe("A line.");
});

test("what goes wrong after acceptance is an error event, the last one", async () => {
  const failure: Partial<FailedCompletion> = {
    status: "error",
    stage: "llm",
    code: "replica_failed",
    message: "no LLM replica answered",
  };
  const stream = await askAlong(url, "What is a queue?");
  const job = await takeJob();
  await complete(job, failure);
  const { code, message } = failure;
  expect((await stream.all()).at(-1)).toEqual({
    id: "end",
    event: "error",
    data: { error: { code: code!, message: message! }, job_id: job.job_id },
  });
});

test("what is not accepted is refused as ever, with a status and no stream", async () => {
  const filler = Array.from({ length: 20 }, (_, i) => String(i));
  await redis.client.lpush("job:llm_in", ...filler);
  const { response } = await askAlong(url, "What is a queue?");
  expect(response.status).toBe(429);
  expect(await response.json()).toMatchObject({ error: { code: "line_full" } });
  expect((await followJob(url, "nobody's")).response.status).toBe(404);
});

test("a Last-Event-ID that no event has is refused", async () => {
  const { response } = await followJob(url, "any", "tomorrow");
  expect(response.status).toBe(400);
});

test("Accept: text/event-stream asks for a stream too", async () => {
  const asked = fetch(`${url}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query: "What is a queue?" }),
  });
  await complete(await takeJob(), { answer: "A line." });
  const response = await asked;
  expect(response.headers.get("content-type")).toStartWith("text/event-stream");
  expect(await response.text()).toContain("event: done");
});

test("a stream on which nothing happens is kept open by comments", async () => {
  const response = await fetch(`${url}/query`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "What is a queue?", stream: true }),
  });
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of response.body!) {
    text += decoder.decode(part, { stream: true });
    if ((text.match(/^:$/gm) ?? []).length >= 3) break;
  }
  expect(text).toContain("event: accepted");
});

test("a client that hangs up cancels its job; one that has a key, or reads along, does not", async () => {
  const plain = await askAlong(url, "What is a queue?");
  const { job_id } = await takeJob();
  plain.hangUp();
  await until(() => redis.client.exists(`job:completion:${job_id}`));
  const kept = await askAlong(url, "What is a queue?", { "idempotency-key": "k" });
  const job = await takeJob();
  const along = await followJob(url, job.job_id);
  kept.hangUp();
  along.hangUp();
  const back = await followJob(other_url, job.job_id, "0");
  await complete(job, { answer: "A line." });
  expect(textOf(await back.all())).toBe("A line.");
});
