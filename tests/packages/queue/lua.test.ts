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

/** Scripts that are one, with what they share before them. */
const sources = async (...names: string[]) =>
  (await Promise.all(names.map((name) => Bun.file(`packages/queue/lua/${name}.lua`).text()))).join("\n");

describe("take", () => {
  test("gives the oldest messages first and keeps each in the taker's list", async () => {
    await redis.lpush("q", "a", "b", "c");
    expect(await redis.queueTake("q", "held", "retry", 2, 0)).toEqual(["queue", "a", "b"]);
    expect(await redis.lrange("q", 0, -1)).toEqual(["c"]);
    expect(await redis.lrange("held", 0, -1)).toEqual(["b", "a"]);
  });

  test("gives nothing from an empty queue and leaves no list behind", async () => {
    expect(await redis.queueTake("q", "held", "retry", 64, 0)).toEqual(["queue"]);
    expect(await redis.exists("held")).toBe(0);
  });
});

describe("settle", () => {
  test("hands on only what is still held here", async () => {
    await redis.lpush("held", "a", "b");
    expect(
      await redis.queueSettle(
        "held",
        "next",
        "deliveries",
        "q",
        ...["a", "stranger", "b"].flatMap((one) => [one, one.toUpperCase(), "t", 0]),
      ),
    ).toBe(2);
    expect(await redis.lrange("next", 0, -1)).toEqual(["B", "A"]);
    expect(await redis.llen("held")).toBe(0);
  });

  test("sent twice takes effect once", async () => {
    await redis.lpush("held", "a");
    await redis.queueSettle("held", "next", "deliveries", "q", "a", "A", "t", 0);
    expect(await redis.queueSettle("held", "next", "deliveries", "q", "a", "A", "t", 0)).toBe(0);
    expect(await redis.llen("next")).toBe(1);
  });
});

describe("complete", () => {
  test("keeps the completion for a while and wakes the waiter with the job's id", async () => {
    const subscriber = server.client.duplicate();
    await subscriber.subscribe("done:g");
    const notice = new Promise<string>((resolve) => subscriber.on("message", (_channel, id) => resolve(id)));
    await redis.lpush("held", "a", "b");
    const args = [60, 2, "a", "A", "done:g", "id-a", "b", "B", "done:h", "id-b"];
    expect(
      await redis.queueComplete(5, "held", "deliveries", "q", "completion:a", "completion:b", ...args),
    ).toBe(2);
    expect(await notice).toBe("id-a");
    expect(await redis.mget("completion:a", "completion:b")).toEqual(["A", "B"]);
    expect(await redis.ttl("completion:b")).toBeGreaterThan(58);
    expect(await redis.llen("held")).toBe(0);
    subscriber.disconnect();
  });

  test("lets the first completion of a job stand", async () => {
    await redis.set("completion:a", "first");
    await redis.lpush("held", "a");
    expect(
      await redis.queueComplete(
        4,
        "held",
        "deliveries",
        "q",
        "completion:a",
        60,
        1,
        "a",
        "A",
        "done:g",
        "id",
      ),
    ).toBe(1);
    expect(await redis.get("completion:a")).toBe("first");
    expect(await redis.llen("held")).toBe(0);
  });

  test("writes nothing for a message that is held elsewhere", async () => {
    expect(
      await redis.queueComplete(
        4,
        "held",
        "deliveries",
        "q",
        "completion:a",
        60,
        1,
        "a",
        "A",
        "done:g",
        "id-a",
      ),
    ).toBe(0);
    expect(await redis.exists("completion:a")).toBe(0);
  });
});

describe("admit", () => {
  const sha = async () => {
    const lua = await sources("lanes", "expected_wait", "admit");
    return (await redis.script("LOAD", lua)) as string;
  };
  const admit = async (most: number, seen = "accepted:j") => {
    const record = JSON.stringify({ job_id: "j", deadline: Date.now() + 60_000 });
    const keys = ["q", seen, "accepted:j", "q2"];
    return redis.call(
      "EVALSHA",
      await sha(),
      keys.length,
      ...keys,
      "message",
      record,
      60_000,
      most,
      "c:",
      "t",
      0,
      "",
    );
  };

  test("takes a job once, while the line's queues together have room", async () => {
    await redis.lpush("q2", "another");
    expect(await admit(2)).toEqual(["admitted", 2]);
    expect(await admit(2)).toMatchObject(["seen", expect.stringContaining('"job_id":"j"')]);
    await redis.del("accepted:j");
    expect(await admit(2)).toMatchObject(["full", 2, "0"]);
    expect(await redis.lrange("q", 0, -1)).toEqual(["message"]);
  });

  test("makes a job known by its id, whatever key it came under", async () => {
    await admit(1, "seen:key");
    expect(await redis.mget("seen:key", "accepted:j")).toEqual([expect.any(String), expect.any(String)]);
    expect(await redis.pttl("accepted:j")).toBeWithin(59_000, 60_001);
  });

  test("tells a full line's rate from what its stages completed in the last ten seconds", async () => {
    for (const [processing, queue] of [
      ["held:1", "q"],
      ["held:2", "q2"],
    ] as const) {
      await redis.lpush(processing, "a", "b");
      const told = [60, 2, "a", "A", "done:g", "id-a", "b", "B", "done:g", "id-b"];
      await redis.queueComplete(5, processing, "deliveries", queue, "c:a", "c:b", ...told);
    }
    const [kind, depth, left] = (await admit(0)) as [string, number, string];
    expect([kind, depth]).toEqual(["full", 0]);
    // All four; if a new count began between the two, the share of the old one that is covered still.
    expect(Number(left)).toBeWithin(3.5, 4.001);
    for (const key of await redis.keys("*:left:*")) expect(await redis.ttl(key)).toBeWithin(25, 31);
  });
});

describe("pace", () => {
  const end = async (id: string, worked = 1) => {
    await redis.lpush("held", id);
    await redis.queueComplete(4, "held", "deliveries", "q", `c:${id}`, 60, worked, id, "A", "done:g", id);
  };

  test("is the time between two ends at both of which something waited", async () => {
    await redis.lpush("q", "waiting");
    await end("a");
    await redis.hincrbyfloat("q:pace", "at", "-500"); // half a second ago
    await end("b");
    const { n, ms } = (await redis.hgetall("q:pace")) as { n: string; ms: string };
    expect(Number(n)).toBe(1);
    expect(Number(ms)).toBeWithin(500, 5_000);
    expect(await redis.ttl("q:pace")).toBeWithin(55, 61);
  });

  test("is not measured while nothing waits", async () => {
    await end("a");
    expect(await redis.exists("q:pace")).toBe(0);
    await redis.lpush("q", "waiting");
    await end("b");
    await redis.del("q");
    await end("c");
    await redis.lpush("q", "waiting");
    await end("d");
    expect(await redis.hget("q:pace", "n")).toBeNull();
  });

  test("counts nothing that was dropped", async () => {
    await redis.lpush("q", "waiting");
    for (const id of ["a", "b", "c"]) await end(id, 0);
    expect(await redis.exists("q:pace")).toBe(0);
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
    await redis.queueTake("q", "held", "retry", 3, 0);
    expect(await redis.queuePutBack("held", "q", "consumers", "me")).toBe(3);
    expect(await redis.queueTake("q", "held", "retry", 4, 0)).toEqual(["queue", "a", "b", "c", "d"]);
  });
});

describe("the retry lane", () => {
  test("is taken from first, one message alone", async () => {
    await redis.lpush("q", "later");
    await redis.lpush("retry", "a", "b");
    expect(await redis.queueTake("q", "held", "retry", 10, 0)).toEqual(["retry", "a"]);
    expect(await redis.lrange("held", 0, -1)).toEqual(["a"]);
  });

  test("waits until the taker holds nothing", async () => {
    await redis.lpush("q", "later");
    await redis.lpush("retry", "a");
    expect(await redis.queueTake("q", "held", "retry", 10, 3)).toEqual(["drain"]);
    expect(await redis.exists("held")).toBe(0);
  });
});

describe("delay and promote", () => {
  test("a message comes back when it is due, before those that came later", async () => {
    await redis.lpush("held", "a");
    expect(await redis.queueDelay("held", "delayed", "deliveries", "a", "A", 0)).toBe(1);
    expect(await redis.llen("held")).toBe(0);
    await redis.lpush("q", "later");
    expect(await redis.queuePromote("delayed", "q")).toBe(1);
    expect(await redis.queueTake("q", "held", "retry", 2, 0)).toEqual(["queue", "A", "later"]);
  });

  test("one that is not due stays", async () => {
    await redis.lpush("held", "a");
    await redis.queueDelay("held", "delayed", "deliveries", "a", "A", 60_000);
    expect(await redis.queuePromote("delayed", "q")).toBe(0);
    expect(await redis.zcard("delayed")).toBe(1);
  });

  test("one that is held elsewhere is not delayed", async () => {
    expect(await redis.queueDelay("held", "delayed", "deliveries", "a", "A", 0)).toBe(0);
    expect(await redis.exists("delayed")).toBe(0);
  });
});

describe("reap", () => {
  const reap = (most = 3, look_after_ms = 30_000) =>
    redis.queueReap(
      "consumers",
      "deliveries",
      "dead",
      "retry",
      "held:",
      most,
      look_after_ms,
      "llm",
      10,
      "c:",
      "done:",
      60,
    );

  test("gives back what an ended consumer held, oldest first, and leaves the living alone", async () => {
    await redis.lpush("held:gone", "a", "b");
    await redis.lpush("held:alive", "c");
    await redis.zadd("consumers", Date.now() - 1, "gone");
    await redis.zadd("consumers", Date.now() + 60_000, "alive");
    expect(await reap()).toEqual([2, 0]);
    expect(await redis.lrange("retry", 0, -1)).toEqual(["b", "a"]);
    expect(await redis.lrange("held:alive", 0, -1)).toEqual(["c"]);
    expect(await redis.zrange("consumers", "0", "-1")).toEqual(["gone", "alive"]);
  });

  test("forgets an ended consumer only when no late reply can reach it any more", async () => {
    await redis.zadd("consumers", Date.now() - 31_000, "gone");
    await reap();
    expect(await redis.exists("consumers")).toBe(0);
  });

  test("lays aside what was given back as often as allowed, and tells its caller", async () => {
    const message = JSON.stringify({ job_id: "j", reply_to: "g", timings: {} });
    for (let death = 1; death <= 3; death++) {
      await redis.lpush("held:gone", message);
      await redis.zadd("consumers", Date.now() - 1, "gone");
      expect(await reap()).toEqual(death < 3 ? [1, 0] : [0, 1]);
    }
    const letter = JSON.parse((await redis.lindex("dead", 0))!);
    expect(letter).toEqual({
      message,
      stage: "llm",
      deliveries: 3,
      at: expect.any(Number),
      reason: expect.any(String),
    });
    expect(JSON.parse((await redis.get("c:j"))!)).toMatchObject({
      job_id: "j",
      status: "error",
      code: "worker_died",
      timings: {},
    });
    expect(await redis.hlen("deliveries")).toBe(0);
  });

  test("a settled message's count is forgotten", async () => {
    await redis.lpush("held:gone", "a");
    await redis.zadd("consumers", Date.now() - 1, "gone");
    await reap();
    await redis.queueTake("q", "held:b", "retry", 1, 0);
    await redis.queueSettle("held:b", "next", "deliveries", "q", "a", "A", "t", 0);
    expect(await redis.hlen("deliveries")).toBe(0);
  });
});
