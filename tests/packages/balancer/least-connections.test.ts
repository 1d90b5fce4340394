/** The balancer's promises, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LeastConnections } from "#balancer";
import { redisNames } from "#contracts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const names = redisNames();
const [A, B, C] = ["http://a", "http://b", "http://c"] as const;
const later = () => Date.now() + 60_000;

let server: TestRedis;
let balancer: LeastConnections;

beforeAll(async () => {
  server = await startRedis();
  balancer = new LeastConnections(server.client, names, [A, B, C]);
});
beforeEach(() => server.client.flushall());
afterAll(() => server.stop());

/** What an operator sees with `redis-cli GET llm:load:<URL>`. */
async function shown(): Promise<number[]> {
  return (await server.client.mget([A, B, C].map((url) => names.load(url)))).map(Number);
}

describe("reserving", () => {
  test("chooses the replica with the fewest jobs in flight, so the load is even", async () => {
    for (let i = 0; i < 30; i++) await balancer.reserve(`job-${i}`, later());
    expect(await shown()).toEqual([10, 10, 10]);
  });

  test("breaks ties at random", async () => {
    const first = new Set<string>();
    for (let i = 0; i < 60; i++) {
      first.add(await balancer.reserve("job", later()));
      await balancer.release("job");
    }
    expect([...first].sort()).toEqual([A, B, C]);
  });

  test("by two gateways at once never counts on the same number", async () => {
    const connection = server.client.duplicate();
    const other = new LeastConnections(connection, names, [A, B, C]);
    const both = [balancer, other];
    await Promise.all(Array.from({ length: 60 }, (_, i) => both[i % 2]!.reserve(`job-${i}`, later())));
    expect(await shown()).toEqual([20, 20, 20]);
    connection.disconnect();
  });
});

describe("a count", () => {
  test("is 0 or absent when idle", async () => {
    await balancer.reserve("job", later());
    await balancer.release("job");
    expect(await server.client.keys("llm:*")).toEqual([]);
  });

  test("never goes negative, however often a job is released", async () => {
    await balancer.reserve("job", later());
    for (let i = 0; i < 3; i++) await balancer.release("job");
    await balancer.release("never counted");
    expect([...(await balancer.loads()).values()]).toEqual([0, 0, 0]);
  });

  test("loses a crashed gateway's jobs when their leases end, without anybody's help", async () => {
    await server.client.zadd(names.inflight(A), Date.now() - 1, "crashed");
    await server.client.set(names.load(A), 1);
    expect((await balancer.loads()).get(A)).toBe(0);
    await balancer.reserve("short", Date.now() - 4_900); // its lease ends 5 s after its deadline: in 100 ms
    while ((await server.client.keys("llm:*")).length > 0) {} // expires in Redis itself: nobody calls a script
  });

  test("is the number of jobs under any interleaving of reserve, move and release", async () => {
    const job = fc.integer({ min: 0, max: 9 }).map((n) => `job-${n}`);
    const step = fc.record({ do: fc.constantFrom("reserve", "move", "release"), job });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await server.client.flushall();
        const truth = new Map<string, string>();
        for (const { do: what, job } of steps) {
          const on = truth.get(job);
          if (what === "reserve" && on === undefined) truth.set(job, await balancer.reserve(job, later()));
          if (what === "release") {
            await balancer.release(job);
            truth.delete(job);
          }
          if (what === "move" && on !== undefined)
            truth.set(job, (await balancer.move(job, later(), on, [on]))!);
          const counts = [A, B, C].map(
            (url) => [...truth.values()].filter((replica) => replica === url).length,
          );
          expect(await shown()).toEqual(counts);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("moving", () => {
  test("counts the job on another replica instead, in one step", async () => {
    const from = await balancer.reserve("job", later());
    const to = await balancer.move("job", later(), from, [from]);
    expect(to).not.toBe(from);
    expect((await shown()).reduce((a, b) => a + b)).toBe(1);
    expect((await balancer.loads()).get(to!)).toBe(1);
  });

  test("finds none when all have failed", async () => {
    const from = await balancer.reserve("job", later());
    expect(await balancer.move("job", later(), from, [A, B, C])).toBeUndefined();
  });

  test("counts nothing for a job whose caller is gone", async () => {
    const from = await balancer.reserve("job", later());
    await balancer.release("job");
    expect(await balancer.move("job", later(), from, [from])).toBeUndefined();
    expect(await shown()).toEqual([0, 0, 0]);
  });
});
