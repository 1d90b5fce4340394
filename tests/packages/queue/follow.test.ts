/** A job's successor: pushed once, with the completion that stands, whichever way the job ends. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { redisNames } from "#contracts";
import { Canceller, connectWorker, type QueueRedis } from "#queue";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const names = redisNames();
const KEY = names.completion("a");

let server: TestRedis;
let redis: QueueRedis;

beforeAll(async () => {
  server = await startRedis();
  redis = connectWorker(server.url, () => {}) as QueueRedis;
});
beforeEach(async () => {
  await server.client.flushall();
  await server.client.hset(names.successor("a"), { queue: "next", message: '{"job_id":"b"' });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function pushed() {
  expect(await redis.exists(names.successor("a"))).toBe(0);
  const [message, ...more] = await redis.lrange("next", 0, -1);
  expect(more).toEqual([]);
  return JSON.parse(message!);
}

const complete = (completion: string) =>
  redis.queueComplete(4, "held", "deliveries", "queue", KEY, 60, 1, "m", completion, "done:g", "a");

test("of a job that is completed", async () => {
  await redis.lpush("held", "m", "m");
  await complete('{"answer":[]}');
  await complete('{"answer":["second"]}');
  const { completed_at, ...message } = await pushed();
  expect(message).toEqual({ job_id: "b", completion: { answer: [] } });
  expect(Math.abs(completed_at - Date.now())).toBeLessThan(10_000);
});

test("not of one whose message was lost to another worker", async () => {
  await complete('{"answer":[]}');
  expect(await redis.exists("next")).toBe(0);
});

test("of a job whose message is buried", async () => {
  await redis.lpush("held", "m");
  await redis.queueBury(3, "held", "dead", KEY, "m", "letter", 10, 60, '{"status":"error"}', "done:g", "a");
  expect((await pushed()).completion).toEqual({ status: "error" });
});

test("of a job whose workers died too often", async () => {
  await redis.lpush("held:w", JSON.stringify({ job_id: "a", reply_to: "g", timings: {} }));
  await redis.zadd("consumers", 1, "w");
  const prefixes = [names.completion(""), names.done("")];
  await redis.queueReap(
    "consumers",
    "deliveries",
    "dead",
    "retry",
    "held:",
    1,
    1_000,
    "llm",
    10,
    ...prefixes,
    60,
  );
  expect((await pushed()).completion).toMatchObject({ status: "error", code: "worker_died", timings: {} });
});

test.each(["cancelled", "expired"] as const)("of a job that is %s, once", async (status) => {
  const canceller = new Canceller(redis, names);
  const record = { job_id: "a", deadline: Date.now() + 60_000, digest: "", reply_to: "g", tenant: "t" };
  await redis.set(names.accepted("a"), JSON.stringify(record), "PX", 60_000);
  const end = () => (status === "cancelled" ? canceller.cancel("a") : canceller.expire("a"));
  await Promise.all([end(), end()]);
  await redis.lpush("held", "m");
  await complete('{"status":"ok"}');
  expect((await pushed()).completion).toMatchObject({ job_id: "a", status });
});
