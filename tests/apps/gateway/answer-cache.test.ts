/** Answers that are kept. The line behind the gateways is played by hand; the store is real. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import type { EncoderIn, QueryRequest } from "#contracts";
import { sqlitePath } from "#runtime";
import { openSqliteStore, type VectorStore } from "#vector-store";
import { chunkOf, documentOf, unitVector } from "../../packages/vector-store/passages.ts";
import { readAlong, textOf } from "../../support/event-stream.ts";
import { type KeyedGateways, startKeyedGateways } from "../../support/keyed.ts";
import { ask, type Reply } from "../../support/line.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "ragline-answers-"));
const env = { DATA_DIR: folder, ANSWER_CACHE_SECONDS: "60", ANSWER_CACHE_BYTES: "2000" };
const QUESTION: QueryRequest = { query: "What is a queue?" };

let store: VectorStore;
let gateways: KeyedGateways;
let other_model: TestProcess;
let url: string;
let second_url: string;
let other_model_url: string;
let a: string;
let b: string;

beforeAll(async () => {
  store = openSqliteStore({ path: sqlitePath(folder) });
  gateways = await startKeyedGateways(2, env);
  [url, second_url] = gateways.urls as [string, string];
  const more = { ...env, REDIS_URL: gateways.redis.url, PORT: "0", API_KEYS: "true", LLM_MODEL: "another" };
  other_model = startProcess("apps/gateway/main.ts", { ...more, DRAIN_SECONDS: "0" });
  other_model_url = JSON.parse(await other_model.line('"msg":"listening"')).url;
});
beforeEach(async () => {
  await gateways.redis.client.flushall();
  a = await gateways.key({ tenant: "a" });
  b = await gateways.key({ tenant: "b" });
});
afterAll(async () => {
  await other_model.stop();
  await gateways.stop();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const keyed = (key: string, more: Record<string, string> = {}) => ({
  headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...more },
});

/** Answers the next job on the line. */
async function answerNext(completion: object): Promise<void> {
  const { client } = gateways.redis;
  let message: string | null = null;
  while (!message) message = await client.rpop("job:encoder_in");
  const { job_id, reply_to, selected_replica } = JSON.parse(message) as EncoderIn;
  const answered = { status: "ok", sources: [], selected_replica, worker: "w", timings: {} };
  await client.set(
    `job:completion:${job_id}`,
    JSON.stringify({ job_id, ...answered, ...completion }),
    "EX",
    60,
  );
  await client.publish(`job:done:${reply_to}`, job_id);
}

/** Asks what nobody has kept: the line answers. */
async function fresh(answer: string, asked: Promise<Reply>): Promise<void> {
  await answerNext({ answer });
  const { status, body } = await asked;
  expect(status).toBe(200);
  expect(body.answer).toBe(answer);
  expect(body.cached).toBeUndefined();
}

async function kept(count = 1): Promise<void> {
  while ((await gateways.redis.client.keys("answer:*")).length < count) {}
}

/** The line is not asked. */
async function cached(answer: string, asked: Promise<Reply>): Promise<void> {
  const { status, body } = await asked;
  expect(status).toBe(200);
  expect(body).toMatchObject({ answer, cached: true, timings: {} });
  expect(await gateways.redis.client.llen("job:encoder_in")).toBe(0);
}

test("the same question is answered from what is kept, by any gateway, and the metric says so", async () => {
  await fresh("A line.", ask(url, QUESTION, keyed(a)));
  await kept();
  await cached("A line.", ask(url, QUESTION, keyed(a)));
  await cached("A line.", ask(second_url, { ...QUESTION, top_k: 5 }, keyed(a)));
  const metrics = await (await fetch(`${url}/metrics`, keyed(a))).text();
  expect(metrics).toMatch(/api_gateway_answer_cache_total{outcome="hit",app="gateway"} 1\n/);
});

test("another question, top_k, filter, model or tenant has an answer of its own", async () => {
  await fresh("A line.", ask(url, QUESTION, keyed(a)));
  await kept();
  await fresh("B's.", ask(url, QUESTION, keyed(b)));
  await fresh("Spaced.", ask(url, { query: "What is a queue? " }, keyed(a)));
  await fresh("Three.", ask(url, { ...QUESTION, top_k: 3 }, keyed(a)));
  await fresh("Filtered.", ask(url, { ...QUESTION, filter: { document_ids: ["d"] } }, keyed(a)));
  await fresh("Another model's.", ask(other_model_url, QUESTION, keyed(a)));
  await kept(6);
  await cached("B's.", ask(url, QUESTION, keyed(b)));
  await cached("A line.", ask(url, QUESTION, keyed(a)));
});

test("no answer outlives a change of the corpus, nor is one kept that was made during it", async () => {
  await fresh("A line.", ask(url, QUESTION, keyed(a)));
  await kept();
  const change = () => {
    const document = { ...documentOf(crypto.randomUUID()), tenant: "a" };
    return store.upsert(document, [chunkOf(document, 0, unitVector(1))]);
  };
  await change();
  const asked = ask(url, QUESTION, keyed(a));
  while (!(await gateways.redis.client.llen("job:encoder_in"))) {}
  await change();
  await fresh("Old or new?", asked);
  await fresh("New.", ask(url, QUESTION, keyed(a)));
  await kept(2);
  await cached("New.", ask(url, QUESTION, keyed(a)));
});

test("no-cache asks the line and keeps its answer, no-store keeps none", async () => {
  await fresh("One.", ask(url, QUESTION, keyed(a, { "cache-control": "no-store" })));
  await fresh("Two.", ask(url, QUESTION, keyed(a)));
  await kept();
  await fresh("Three.", ask(url, QUESTION, keyed(a, { "cache-control": "max-age=0, No-Cache" })));
  const [key] = await gateways.redis.client.keys("answer:*");
  while (!(await gateways.redis.client.get(key!))?.includes("Three.")) {}
  await cached("Three.", ask(url, QUESTION, keyed(a)));
});

test("a question that failed, one with an Idempotency-Key and an answer too large are not kept", async () => {
  const asked = ask(url, QUESTION, keyed(a));
  await answerNext({ status: "error", stage: "llm", code: "replica_failed", message: "no replica" });
  expect((await asked).status).toBe(502);
  await fresh("Its own.", ask(url, QUESTION, keyed(a, { "idempotency-key": "k" })));
  await fresh("x".repeat(2_000), ask(url, QUESTION, keyed(a)));
  await fresh("A line.", ask(url, QUESTION, keyed(a)));
  await kept();
});

test("a stream tells what is kept, and what it told is kept", async () => {
  const stream = () =>
    readAlong(`${url}/query`, {
      method: "POST",
      ...keyed(a),
      body: JSON.stringify({ ...QUESTION, stream: true }),
    });
  const first = await stream();
  await answerNext({ answer: "A line." });
  await first.all();
  await kept();
  const events = await (await stream()).all();
  expect(events.map(({ event }) => event)).toEqual(["accepted", "sources", "token", "done"]);
  expect(textOf(events)).toBe("A line.");
  expect(events.at(-1)!.data).toMatchObject({ cached: true });
  await cached("A line.", ask(url, QUESTION, keyed(a)));
});

test("a chat of one question is answered from it, a conversation is not", async () => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: a, maxRetries: 0 });
  const chat = (...questions: string[]) =>
    client.chat.completions.create({
      model: "ragline",
      messages: questions.map((content) => ({ role: "user", content })),
    });
  await fresh("A line.", ask(url, QUESTION, keyed(a)));
  await kept();
  expect((await chat(QUESTION.query)).choices[0]!.message.content).toBe("A line.");
  const asked = chat("What is a stack?", QUESTION.query);
  await answerNext({ answer: "Anew." });
  expect((await asked).choices[0]!.message.content).toBe("Anew.");
});
