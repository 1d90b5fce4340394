/** Jobs beyond the replicas' limits wait, and the first free place is taken. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { Balancer, type Call, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { Places } from "../../../apps/llm/places.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { RedisProxy } from "../../support/redis-proxy.ts";

const ONLY = "http://only:1";
const settings = { ...DEFAULT_SETTINGS, limit: 1, failures: 1, cooldown_ms: 60_000 };
const never = new AbortController().signal;
let server: TestRedis;
let balancer: Balancer;
let places: Places;
const subscribers: Redis[] = [];

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  await server.client.flushall();
  balancer = new Balancer(server.client, redisNames(), settings, [ONLY]);
  const subscriber = server.client.duplicate();
  subscribers.push(subscriber);
  places = new Places({ balancer, subscriber, all_open_ms: 0 });
});
afterAll(() => {
  for (const subscriber of subscribers) subscriber.disconnect();
  return server.stop();
});

const request = (job_id: string, failed: string[] = []) => ({
  job_id,
  deadline: Date.now() + 60_000,
  reserved: ONLY,
  kind: "first" as const,
  waited_ms: 0,
  failed,
});

async function taken(job_id: string) {
  const call = await places.take(request(job_id), never);
  if (typeof call === "string") throw new Error(call);
  return call;
}

test("a job that found no place free gets the next one", async () => {
  const first = await taken("first");
  const second = taken("second");
  await server.client.get("ping"); // its question is answered before this
  await balancer.finish(first, { outcome: "ok", latency_ms: 1, again: false });
  expect((await second).url).toBe(ONLY);
});

test("the word of a free place that overtakes the answer that there is none is not lost", async () => {
  const proxy = await RedisProxy.start(server.url);
  const slow = new Redis(proxy.url);
  const subscriber = server.client.duplicate();
  subscribers.push(subscriber);
  const far = new Balancer(slow, redisNames(), settings, [ONLY]);
  places = new Places({ balancer: far, subscriber, all_open_ms: 0 });
  const first = await taken("first");
  const started = performance.now();
  proxy.delay = () => 100;
  const second = taken("second");
  while ((await server.client.exists("llm:waiting")) === 0); // Redis has answered, and the answer is held up
  await balancer.finish(first, { outcome: "ok", latency_ms: 1, again: false });
  expect((await second).url).toBe(ONLY);
  expect(performance.now() - started).toBeLessThan(1_100); // by itself it would ask again 1,000 ms after the answer, which takes 100
  slow.disconnect();
  await proxy.stop();
});

test("a worker takes more jobs at once while places are free, and one again as soon as none is", async () => {
  const other = new Balancer(server.client, redisNames(), { ...settings, limit: 5 }, [ONLY]);
  const subscriber = server.client.duplicate();
  subscribers.push(subscriber);
  places = new Places({ balancer: other, subscriber, all_open_ms: 0 });
  expect(places.atOnce).toBe(1);
  const calls = [await taken("first")];
  expect(places.atOnce).toBe(2);
  calls.push(...(await Promise.all(["second", "third", "fourth", "fifth"].map(taken))));
  expect(places.atOnce).toBe(8);
  const waiting = taken("sixth");
  while (places.atOnce > 1) await server.client.get("ping");
  await other.finish(calls[0]!, { outcome: "ok", latency_ms: 1, again: false });
  await waiting;
  expect(places.atOnce).toBe(1);
});

test("jobs get places in the order in which they began to wait, in whichever worker", async () => {
  const another = server.client.duplicate();
  subscribers.push(another);
  const others = new Places({ balancer, subscriber: another, all_open_ms: 0 });
  let running = await taken("first");
  const order: string[] = [];
  const waiting: Promise<Call>[] = [];
  for (const [i, job_id] of ["second", "third", "fourth", "fifth"].entries()) {
    const place = (i % 2 === 0 ? places : others).take(request(job_id), never) as Promise<Call>;
    waiting.push(place);
    place.then(() => order.push(job_id));
    while ((await server.client.zscore("llm:waiting", job_id)) === null);
    await server.client.zincrby("llm:waiting", i, job_id); // not within one millisecond
  }
  for (const next of waiting) {
    await balancer.finish(running, { outcome: "ok", latency_ms: 1, again: false });
    running = await next;
  }
  expect(order).toEqual(["second", "third", "fourth", "fifth"]);
});

test("a job that waits is let go when its signal fires", async () => {
  await taken("first");
  const controller = new AbortController();
  const waiting = places.take(request("second"), controller.signal);
  controller.abort(new Error("its client left"));
  await expect(waiting).rejects.toThrow("its client left");
});

test("where every breaker is open the wait is bounded", async () => {
  await balancer.finish(await taken("fails"), { outcome: "failed", latency_ms: 1, again: false });
  expect(await places.take(request("next"), never)).toBe("open");
});
