/**
 * The protocol under any interleaving, on a real Redis: whatever consumers take, settle, put off, put back, die, are
 * reaped, or settle late as zombies, each message is in exactly one place and takes effect at most once; and while one
 * waits in a tenant's lane, a consumer that waits at the queue is woken.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { connectWorker, type QueueRedis } from "#queue";
import { startRedis, type TestRedis } from "../../support/redis.ts";

setDefaultTimeout(60_000);

const CONSUMERS = ["a", "b", "c"];
const MAX_DELIVERIES = 3;

let server: TestRedis;
let redis: QueueRedis;

beforeAll(async () => {
  server = await startRedis();
  redis = connectWorker(server.url, () => {}) as QueueRedis;
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

type Step =
  | { do: "push"; tenant: string; weight: number }
  | { do: "block"; who: string }
  | { do: "take"; who: string; n: number }
  | { do: "settle" | "settle again" | "delay" | "put back" | "die" | "lose"; who: string }
  | { do: "reap" | "promote" };

const who = fc.constantFrom(...CONSUMERS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      tenant: fc.constantFrom("x", "y", "z"),
      weight: fc.constantFrom(0, 1, 1, 5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("block" as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("take" as const), who, n: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "settle" as const,
        "settle again" as const,
        "delay" as const,
        "put back" as const,
        "die" as const,
        "lose" as const,
      ),
      who,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("reap" as const, "promote" as const) }) },
);

const processing = (consumer: string) => `held:${consumer}`;

async function places(): Promise<string[]> {
  const lists = ["q", "retry", "next", ...CONSUMERS.map(processing), ...(await redis.keys("*:lane:*"))];
  const messages = (await Promise.all(lists.map((list) => redis.lrange(list, 0, -1)))).flat();
  const dead = (await redis.lrange("dead", 0, -1)).map((letter) => JSON.parse(letter).message as string);
  const delayed = await redis.zrange("delayed", "0", "-1");
  return [...messages, ...dead, ...delayed].map((message) => message.trimEnd()).sort();
}

/** Lanes are told of while there are some, and then somebody who waits at the queue has something to take. */
async function expectNobodyToWait(blocked: boolean): Promise<void> {
  for (const queue of ["q", "next"]) {
    const lanes = await redis.keys(`${queue}:lane:*`);
    const told = await redis.exists(`${queue}:lanes`, `${queue}:weights`);
    expect(told).toBe(lanes.length > 0 ? 2 : 0);
    if (lanes.length > 0 && !blocked) expect(await redis.llen(queue)).toBeGreaterThan(0);
  }
}

test("nothing is lost, and nothing takes effect twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      await redis.flushall();
      const pushed: string[] = [];
      /** What each consumer believes it holds: a zombie goes on believing it. */
      const believed = new Map(CONSUMERS.map((consumer) => [consumer, [] as string[]]));
      const settled = new Map(CONSUMERS.map((consumer) => [consumer, "none"]));
      for (const consumer of CONSUMERS)
        await redis.queueBeat("consumers", processing(consumer), consumer, 60_000);

      const turns = new Map<string, [tenant: string, weight: number]>();
      const settle = (consumer: string, message: string) =>
        redis.queueSettle(
          processing(consumer),
          "next",
          "deliveries",
          "q",
          message,
          message,
          ...turns.get(message.trimEnd())!,
        );
      /** A message came by BLMOVE, and its consumer has not looked into the lanes yet. */
      let blocked = false;
      for (const one of steps) {
        if (one.do === "push") {
          const message = `m${pushed.length}`;
          pushed.push(message);
          turns.set(message, [one.tenant, one.weight]);
          await redis.lpush("source", message);
          await redis.queueSettle("source", "q", "deliveries", "s", message, message, one.tenant, one.weight);
        } else if (one.do === "block") {
          const message = await redis.lmove("q", processing(one.who), "RIGHT", "LEFT");
          if (message === null) continue;
          believed.get(one.who)!.push(message);
          blocked = true;
        } else if (one.do === "take") {
          const mine = believed.get(one.who)!;
          const [, ...taken] = await redis.queueTake("q", processing(one.who), "retry", one.n, mine.length);
          mine.push(...taken);
          if ((await redis.exists("retry")) === 0) blocked = false;
        } else if (one.do === "settle") {
          const message = believed.get(one.who)!.shift();
          if (message === undefined) continue;
          settled.set(one.who, message);
          await settle(one.who, message);
        } else if (one.do === "settle again") {
          // A reply was lost, and the settle is sent once more.
          const message = settled.get(one.who)!;
          if (message === "none") continue;
          await settle(one.who, message);
        } else if (one.do === "delay") {
          const message = believed.get(one.who)!.shift();
          if (message === undefined) continue;
          await redis.queueDelay(processing(one.who), "delayed", "deliveries", message, message, 0);
        } else if (one.do === "put back") {
          believed.set(one.who, []);
          await redis.queuePutBack(processing(one.who), "q", "consumers", one.who);
        } else if (one.do === "die") {
          await redis.zadd("consumers", "1", one.who); // its lease has ended; as a zombie it may still settle
        } else if (one.do === "lose") {
          believed.set(one.who, []); // restarted: nothing of what it held is known to it
        } else if (one.do === "reap") {
          const args = [MAX_DELIVERIES, 1e15, "llm", 1_000, "completion:", "done:", 60] as const;
          await redis.queueReap("consumers", "deliveries", "dead", "retry", "held:", ...args);
        } else {
          await redis.queuePromote("delayed", "q");
          blocked = false;
        }
        await expectNobodyToWait(blocked);
        expect(await places()).toEqual(pushed.toSorted());
      }
    }),
    { numRuns: 150 },
  );
});
