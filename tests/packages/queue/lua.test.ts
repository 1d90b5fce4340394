/** Each script against its invariant, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { connectWorker, type QueueRedis } from "#queue";
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

describe("take", () => {
  test("gives the oldest messages first and keeps each in the taker's list", async () => {
    await redis.lpush("q", "a", "b", "c");
    expect(await redis.queueTake("q", "held", 2)).toEqual(["a", "b"]);
    expect(await redis.lrange("q", 0, -1)).toEqual(["c"]);
    expect(await redis.lrange("held", 0, -1)).toEqual(["b", "a"]);
  });

  test("gives nothing from an empty queue and leaves no list behind", async () => {
    expect(await redis.queueTake("q", "held", 64)).toEqual([]);
    expect(await redis.exists("held")).toBe(0);
  });
});

describe("settle", () => {
  test("hands on only what is still held here", async () => {
    await redis.lpush("held", "a", "b");
    expect(await redis.queueSettle("held", "next", "a", "A", "stranger", "S", "b", "B")).toBe(2);
    expect(await redis.lrange("next", 0, -1)).toEqual(["B", "A"]);
    expect(await redis.llen("held")).toBe(0);
  });

  test("sent twice takes effect once", async () => {
    await redis.lpush("held", "a");
    await redis.queueSettle("held", "next", "a", "A");
    expect(await redis.queueSettle("held", "next", "a", "A")).toBe(0);
    expect(await redis.llen("next")).toBe(1);
  });
});

describe("complete", () => {
  test("keeps the completion for a while and wakes the waiter with the job's id", async () => {
    const subscriber = server.client.duplicate();
    await subscriber.subscribe("done:g");
    const notice = new Promise<string>((resolve) => subscriber.on("message", (_channel, id) => resolve(id)));
    await redis.lpush("held", "a", "b");
    const args = [60, "a", "A", "done:g", "id-a", "b", "B", "done:h", "id-b"];
    expect(await redis.queueComplete(3, "held", "completion:a", "completion:b", ...args)).toBe(2);
    expect(await notice).toBe("id-a");
    expect(await redis.mget("completion:a", "completion:b")).toEqual(["A", "B"]);
    expect(await redis.ttl("completion:b")).toBeGreaterThan(58);
    expect(await redis.llen("held")).toBe(0);
    subscriber.disconnect();
  });

  test("writes nothing for a message that is held elsewhere", async () => {
    expect(await redis.queueComplete(2, "held", "completion:a", 60, "a", "A", "done:g", "id-a")).toBe(0);
    expect(await redis.exists("completion:a")).toBe(0);
  });
});

describe("bury", () => {
  test("moves a message into the dead letters, and tells its caller", async () => {
    await redis.lpush("held", "a");
    expect(
      await redis.queueBury(3, "held", "dead", "completion:a", "a", "letter", 10, 60, "told", "done:g", "id"),
    ).toBe(1);
    expect(await redis.lrange("dead", 0, -1)).toEqual(["letter"]);
    expect(await redis.get("completion:a")).toBe("told");
    expect(await redis.llen("held")).toBe(0);
  });

  test("keeps the newest letters up to the limit, and says that there was one more", async () => {
    await redis.lpush("held", "a", "b", "c");
    for (const message of ["a", "b"])
      await redis.queueBury(2, "held", "dead", message, `letter ${message}`, 2);
    expect(await redis.queueBury(2, "held", "dead", "c", "letter c", 2)).toBe(3);
    expect(await redis.lrange("dead", 0, -1)).toEqual(["letter c", "letter b"]);
  });

  test("does nothing for a message that is held elsewhere", async () => {
    expect(await redis.queueBury(2, "held", "dead", "a", "letter", 10)).toBe(0);
    expect(await redis.exists("dead")).toBe(0);
  });
});

describe("put back", () => {
  test("restores the old order, before what came later", async () => {
    await redis.lpush("q", "a", "b", "c", "d");
    await redis.queueTake("q", "held", 3);
    expect(await redis.queuePutBack("held", "q")).toBe(3);
    expect(await redis.queueTake("q", "held", 4)).toEqual(["a", "b", "c", "d"]);
  });
});
