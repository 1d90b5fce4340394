/** Turns among tenants whose messages wait, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { redisNames } from "#contracts";
import { connectWorker, Depths, JobPlaces, type QueueRedis } from "#queue";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let server: TestRedis;
let redis: QueueRedis;

beforeAll(async () => {
  server = await startRedis();
  redis = connectWorker(server.url, () => {}) as QueueRedis;
});
beforeEach(() => server.client.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Puts messages into `q`, as a stage before it would: `a3` is the third of tenant `a`. */
async function push(tenant: string, weight: number, from: number, to = from): Promise<void> {
  for (let i = from; i <= to; i++) {
    const message = JSON.stringify({ job_id: `${tenant}${i}` });
    await redis.lpush("source", message);
    await redis.queueSettle("source", "q", "deliveries", "s", message, message, tenant, weight);
  }
}

/** Ids of what is taken next. */
async function take(n: number): Promise<string[]> {
  const [, ...messages] = await redis.queueTake("q", "held", "retry", n, 0);
  return messages.map((message) => JSON.parse(message).job_id);
}

async function takeOneByOne(n: number): Promise<string[]> {
  const taken: string[] = [];
  for (let i = 0; i < n; i++) taken.push(...(await take(1)));
  return taken;
}

describe("tenants whose messages wait", () => {
  for (const [how, taking] of [
    ["one by one", takeOneByOne],
    ["many at once", take],
  ] as const) {
    test(`are taken in turn, ${how}: a burst of one adds a message to another's wait for each that it has`, async () => {
      await push("a", 1, 1, 100);
      await push("b", 1, 1, 3);
      const order = await taking(12);
      // Those that were there before b came: what was in the queue itself.
      expect(order.slice(0, 2)).toEqual(["a1", "a2"]);
      expect(order.slice(2, 8).filter((id) => id.startsWith("b"))).toEqual(["b1", "b2", "b3"]);
      expect(order.filter((id) => id.startsWith("a"))).toEqual(
        Array.from({ length: 9 }, (_, i) => `a${i + 1}`),
      );
    });
  }

  test("are taken by weight", async () => {
    await push("a", 1, 1, 100);
    await push("b", 3, 1, 100);
    await take(2);
    const order = await takeOneByOne(40);
    expect(order.filter((id) => id.startsWith("b")).length).toBeWithin(29, 32);
  });

  test("get no turn twice by having nothing there in between", async () => {
    await push("a", 4, 1, 200);
    await take(2);
    const order: string[] = [];
    for (let i = 1; i <= 10; i++) {
      await push("b", 1, i); // the next as soon as the one before was taken
      while (!order.includes(`b${i}`)) order.push(...(await take(1)));
    }
    expect(order.length).toBeWithin(40, 51);
  });

  test("take turns with what came without one", async () => {
    for (let i = 1; i <= 20; i++) await redis.lpush("q", JSON.stringify({ job_id: `foreign${i}` }));
    await push("b", 1, 1, 3);
    const order = await takeOneByOne(8);
    expect(order.filter((id) => id.startsWith("b"))).toEqual(["b1", "b2", "b3"]);
    expect(order.filter((id) => id.startsWith("foreign")).length).toBe(5);
  });

  test("leave no key behind when all are taken", async () => {
    await push("a", 1, 1, 5);
    await push("b", 2, 1, 5);
    expect((await takeOneByOne(10)).length).toBe(10);
    expect((await redis.keys("q*")).sort()).toEqual([]);
  });
});

test("without tenants there are no lanes, and the order is that of arrival", async () => {
  await push("a", 0, 1, 3);
  await push("b", 0, 1);
  expect(await redis.keys("q*")).toEqual(["q"]);
  expect(await take(4)).toEqual(["a1", "a2", "a3", "b1"]);
});

test("a message that a waiting consumer is handed says by its last byte that there may be more", async () => {
  await push("a", 1, 1, 4);
  const handed: (string | null)[] = [];
  // A script that puts several into an empty queue wakes as many as it finds there.
  while ((await redis.llen("q")) > 0) handed.push(await redis.lmove("q", "held", "RIGHT", "LEFT"));
  expect(handed.map((message) => message!.at(-1))).toEqual(["}", " "]);
  expect(await take(2)).toEqual(["a3", "a4"]);
});

test("depth counts what waits in lanes", async () => {
  await push("a", 1, 1, 5);
  await push("b", 1, 1, 2);
  expect(await new Depths(server.client, redisNames()).of("q")).toBe(7);
});

test("a job's position is when its turn comes", async () => {
  const places = new JobPlaces(server.client, redisNames(), [{ name: "q" }]);
  await push("a", 1, 1, 30);
  await push("b", 3, 1, 10);
  await push("c", 1, 1, 5);
  await take(3);
  const jobs = ["a9", "a30", "b1", "b4", "b10", "c1", "c5"];
  const said = await Promise.all(
    jobs.map(async (job_id) => {
      const place = await places.find(job_id, job_id[0]!);
      return place.kind === "queued" ? place.position : 0;
    }),
  );
  const order = await takeOneByOne(42);
  expect(said).toEqual(jobs.map((job_id) => order.indexOf(job_id) + 1));
});
