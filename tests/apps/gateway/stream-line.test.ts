/** Answers as they come, through the whole line and over two gateways. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { AnswerEvent } from "#contracts";
import { askAlong, followJob, textOf } from "../../support/event-stream.ts";
import { startLine, type TestLine } from "../../support/line.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";

setDefaultTimeout(60_000);

const QUESTION = "What is machine learning?";

let line: TestLine;
let other: TestProcess;
let other_url: string;

beforeAll(async () => {
  line = await startLine({
    documents: ["corpus/machine-learning.md", "corpus/recursion.md"],
    replicas: [{ MOCK_DELAY_MS: "20", MOCK_TOKENS_PER_SECOND: "100" }],
    env: { STREAM_HEARTBEAT_MS: "20" },
  });
  other = startProcess("apps/gateway/main.ts", {
    REDIS_URL: line.redis.url,
    LLM_REPLICAS: line.replicas.map(({ url }) => url).join(","),
    PORT: "0",
    DRAIN_SECONDS: "1",
  });
  other_url = JSON.parse(await other.line('"msg":"listening"')).url;
});
afterAll(async () => {
  await other.stop();
  await line.stop();
});

/** Events up to the one that `enough` says; the rest is not read. */
async function until(
  events: AsyncIterable<AnswerEvent>,
  enough: (events: readonly AnswerEvent[]) => boolean,
): Promise<AnswerEvent[]> {
  const read: AnswerEvent[] = [];
  for await (const event of events) {
    read.push(event);
    if (enough(read)) break;
  }
  return read;
}

const tokensIn = (events: readonly AnswerEvent[]) => events.filter(({ event }) => event === "token").length;

test("an answer comes as accepted, sources, tokens and done, which is the plain answer's body", async () => {
  const stream = await askAlong(line.url, QUESTION);
  expect(stream.response.headers.get("content-type")).toStartWith("text/event-stream");
  const events = await stream.all();
  expect(events.slice(0, 2).map(({ event }) => event)).toEqual(["accepted", "sources"]);
  expect(tokensIn(events)).toBeGreaterThan(3);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const [accepted, sources] = events;
  const done = events.at(-1)!;
  const plain = await line.ask({ query: QUESTION });
  expect(done.event).toBe("done");
  expect(done.data).toMatchObject({
    job_id: (accepted!.data as { job_id: string }).job_id,
    answer: plain.body.answer,
    sources: (sources!.data as { sources: [] }).sources,
  });
  expect(Object.keys(done.data).sort()).toEqual(Object.keys(plain.body).sort());
  expect(textOf(events)).toBe(plain.body.answer);
  const { llm } = (done.data as typeof plain.body).timings;
  expect(llm!.first_token).toBeWithin(20, llm!.worked);
});

test("the first token comes long before the last, and its time is a metric", async () => {
  const stream = await askAlong(line.url, QUESTION);
  const at: number[] = [];
  for await (const { event } of stream.events) if (event === "token") at.push(performance.now());
  expect(at.at(-1)! - at[0]!).toBeGreaterThan(50);
  const metrics = await (await fetch(`${line.url}/metrics`)).text();
  expect(metrics).toMatch(/api_gateway_first_token_seconds_count\{app="gateway"\} [1-9]/);
  expect(metrics).toContain('api_gateway_open_streams{app="gateway"} 0');
});

test("a client that loses its connection goes on at another gateway, without a lost or doubled token", async () => {
  const key = { "idempotency-key": crypto.randomUUID() };
  const first = await askAlong(line.url, QUESTION, key);
  const before = await until(first.events, (events) => tokensIn(events) === 3);
  first.hangUp();
  const { job_id } = before[0]!.data as { job_id: string };
  const rest = await followJob(other_url, job_id, before.at(-1)!.id);
  const after = await rest.all();
  const done = after.at(-1)!;
  expect(done.event).toBe("done");
  expect(tokensIn(after)).toBeGreaterThan(0);
  expect(textOf([...before, ...after])).toBe((done.data as { answer: string }).answer);
  const ids = [...before, ...after].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("the same question with its key and Last-Event-ID goes on as well", async () => {
  const key = { "idempotency-key": crypto.randomUUID() };
  const first = await askAlong(line.url, QUESTION, key);
  const before = await until(first.events, (events) => tokensIn(events) === 2);
  first.hangUp();
  const again = await askAlong(other_url, QUESTION, { ...key, "last-event-id": before.at(-1)!.id });
  const after = await again.all();
  expect(textOf([...before, ...after])).toBe((after.at(-1)!.data as { answer: string }).answer);
});

test("whoever reads a job that is over is told all of it, or what is missing, or nothing", async () => {
  const asked = await (await askAlong(line.url, QUESTION)).all();
  const { job_id } = asked[0]!.data as { job_id: string };
  const ids = (events: readonly AnswerEvent[]) => events.map(({ id }) => id);
  expect(ids(await (await followJob(other_url, job_id)).all())).toEqual(ids(asked));
  const third = asked[2]!.id;
  expect(ids(await (await followJob(other_url, job_id, third)).all())).toEqual(ids(asked.slice(3)));
  expect((await followJob(other_url, job_id, "end")).response.status).toBe(204);
});

test("every token is there though its stream is lost", async () => {
  const asked = await (await askAlong(line.url, QUESTION)).all();
  const { job_id } = asked[0]!.data as { job_id: string };
  await line.redis.client.del(`job:tokens:${job_id}`);
  const after = await (await followJob(other_url, job_id, asked[4]!.id)).all();
  expect(after.map(({ event }) => event)).toEqual(["reset", "sources", "token", "done"]);
  expect(textOf([...asked.slice(0, 5), ...after])).toBe((after.at(-1)!.data as { answer: string }).answer);
});

test("a client that hangs up ends its job, down to the replica", async () => {
  const [replica] = line.replicas;
  const before = (await replica!.stats()).aborted;
  const stream = await askAlong(line.url, QUESTION);
  await until(stream.events, (events) => tokensIn(events) === 1);
  stream.hangUp();
  const left_at = performance.now();
  await replica!.until(({ aborted }) => aborted > before);
  expect(performance.now() - left_at).toBeLessThan(250);
});

test("a question that nothing is near has its answer as a token too", async () => {
  const events = await (await askAlong(line.url, "Who won the 1966 football world cup final?")).all();
  expect(events.map(({ event }) => event)).toEqual(["accepted", "sources", "token", "done"]);
  expect(textOf(events)).toContain("nothing about this");
});
