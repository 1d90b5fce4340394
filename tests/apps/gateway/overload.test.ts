/** More questions than the line can answer in time: who is served, and who is refused. Workers are played by hand. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { EncoderIn } from "#contracts";
import { connectWorker, type QueueRedis } from "#queue";
import { type KeyedGateways, startKeyedGateways } from "../../support/keyed.ts";

const QUEUE = "job:encoder_in";
/** Of the replica that a gateway has by default. */
const REPLICA_LOAD = "llm:load:http://127.0.0.1:11434";

let gateways: KeyedGateways;
let worker: QueueRedis;
let many: string;
let few: string;

beforeAll(async () => {
  gateways = await startKeyedGateways(1, { QUERY_TIMEOUT_MS: "10000", MAX_EXPECTED_WAIT: "0.55" });
  worker = connectWorker(gateways.redis.url, () => {}) as QueueRedis;
});
beforeEach(async () => {
  await gateways.redis.client.flushall();
  many = await gateways.key({ tenant: "many" });
  few = await gateways.key({ tenant: "few" });
});
afterAll(async () => {
  worker.disconnect();
  await gateways.stop();
});

const post = (path: string, secret: string, body: object) =>
  fetch(`${gateways.urls[0]}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  });

/** Statuses of so many questions, one after another. */
async function ask(secret: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push((await post("/jobs", secret, { query: `${i}` })).status);
  return statuses;
}

/** As if the line had answered a question a second while others waited. */
const oneASecond = () => worker.hset(`job:llm_in:pace`, { n: 20, ms: 20_000 });

async function take(n: number): Promise<string[]> {
  const [, ...messages] = await worker.queueTake(QUEUE, "held", "retry", n, 0);
  return messages.map((message) => (JSON.parse(message) as EncoderIn).tenant!);
}

test("a tenant with many questions waiting keeps another's waiting for one of them each", async () => {
  await ask(many, 20);
  await ask(few, 3);
  expect(await take(8)).toEqual(["many", "many", "few", "many", "few", "many", "few", "many"]);
});

test("a key of a higher priority has that many turns", async () => {
  const vip = await gateways.key({ tenant: "vip", priority: 3 });
  await ask(many, 10);
  await ask(vip, 10);
  const order = (await take(12)).slice(2);
  expect(order.filter((tenant) => tenant === "vip").length).toBeWithin(7, 9);
});

test("a question that would be late is refused at once, at every route that takes one; nothing is queued", async () => {
  await oneASecond();
  expect(await ask(many, 7)).toEqual([202, 202, 202, 202, 202, 202, 429]);
  const question = { query: "late" };
  const chat = { model: "ragline", messages: [{ role: "user", content: "late" }] };
  for (const [path, body] of [
    ["/query", question],
    ["/query", { ...question, stream: true }],
    ["/jobs", question],
    ["/v1/chat/completions", chat],
    ["/v1/chat/completions", { ...chat, stream: true }],
  ] as const) {
    const response = await post(path, many, body);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeWithin(1, 3);
    expect(await response.json()).toMatchObject({ error: { code: "overloaded" } });
  }
  expect((await take(100)).length).toBe(6);
  // Counts of those that were refused go back; those of the accepted stay.
  while ((await worker.get(REPLICA_LOAD)) !== "6") {}
  const metrics = await (
    await fetch(`${gateways.urls[0]}/metrics`, { headers: { "x-api-key": many } })
  ).text();
  expect(metrics).toContain('api_gateway_refused_total{reason="overloaded",app="gateway"} 6');
});

test("another tenant is refused by its own wait, not by the first one's", async () => {
  await oneASecond();
  await ask(many, 7);
  const [first, ...more] = await ask(few, 6);
  expect(first).toBe(202);
  expect(more.at(-1)).toBe(429);
});

test("what workers hold counts, and an idle line refuses nobody, however slow it was", async () => {
  await oneASecond();
  await worker.lpush(`job:llm_in:processing:w`, "1", "2", "3", "4", "5", "6");
  await worker.zadd("job:llm_in:consumers", Date.now() + 60_000, "w");
  expect(await ask(many, 2)).toEqual([202, 429]);
});

test("a pace that was seen for a moment only refuses nobody", async () => {
  await worker.hset("job:llm_in:pace", { n: 9, ms: 90_000 });
  expect(await ask(many, 8)).not.toContain(429);
});
