/** The balancer's promises, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Balancer, type BalancerSettings, type Call, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const names = redisNames();
const [A, B, C] = ["http://a", "http://b", "http://c"] as const;
const later = () => Date.now() + 60_000;

let server: TestRedis;
let balancer: Balancer;

const withSettings = (settings: Partial<BalancerSettings>, replicas: readonly string[] = [A, B, C]) =>
  new Balancer(server.client, names, { ...DEFAULT_SETTINGS, ...settings }, replicas);

beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  await server.client.flushall();
  balancer = withSettings({});
});
afterAll(() => server.stop());

/** What an operator sees with `redis-cli GET llm:load:<URL>`. */
async function shown(): Promise<number[]> {
  return (await server.client.mget([A, B, C].map((url) => names.load(url)))).map(Number);
}

/** Keys that tell of jobs. */
async function counted(): Promise<string[]> {
  return (await server.client.keys("*")).filter((key) => /^llm:(load|inflight|running|calls)/.test(key));
}

async function dispatch(job_id: string, reserved: string, failed: readonly string[] = [], by = balancer) {
  return by.dispatch({
    job_id,
    deadline: later(),
    reserved,
    kind: failed.length > 0 ? "again" : "first",
    waited_ms: 0,
    failed,
  });
}

/** A call that the balancer allows at once. */
async function call(
  job_id: string,
  reserved: string = A,
  failed: readonly string[] = [],
  by = balancer,
): Promise<Call> {
  const dispatched = await dispatch(job_id, reserved, failed, by);
  if (dispatched.kind !== "go") throw new Error(`${job_id} is told: ${JSON.stringify(dispatched)}`);
  return dispatched.call;
}

/** A call of `url`, as if the others had failed. */
async function callOf(url: string, job_id: string, by = balancer): Promise<Call> {
  return call(
    job_id,
    await by.reserve(job_id, later()),
    [A, B, C].filter((other) => other !== url),
    by,
  );
}

const ok = { outcome: "ok", latency_ms: 100, again: false } as const;
const failed = { outcome: "failed", latency_ms: 5, again: false } as const;

describe("reserving", () => {
  test("chooses the replica with the fewest jobs in flight, so the load is even", async () => {
    for (let i = 0; i < 30; i++) await balancer.reserve(`job-${i}`, later());
    expect(await shown()).toEqual([10, 10, 10]);
  });

  test("breaks ties at random", async () => {
    const first = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const url = await balancer.reserve("job", later());
      first.add(url);
      await balancer.release("job", url);
    }
    expect([...first].sort()).toEqual([A, B, C] as string[]);
  });

  test("by two gateways at once never counts on the same number", async () => {
    const connection = server.client.duplicate();
    const both = [balancer, new Balancer(connection, names, DEFAULT_SETTINGS, [A, B, C])];
    await Promise.all(Array.from({ length: 60 }, (_, i) => both[i % 2]!.reserve(`job-${i}`, later())));
    expect(await shown()).toEqual([20, 20, 20]);
    connection.disconnect();
  });

  test("goes on when Redis has been emptied", async () => {
    await balancer.reserve("before", later());
    await server.client.flushall();
    expect([A, B, C] as string[]).toContain(await balancer.reserve("after", later()));
  });
});

describe("a count", () => {
  test("is 0 or absent when idle", async () => {
    const url = await balancer.reserve("job", later());
    await balancer.finish(await call("job", url), ok);
    expect(await shown()).toEqual([0, 0, 0]);
    expect(await counted()).toEqual([]);
  });

  test("never goes negative, however often a job is released", async () => {
    const url = await balancer.reserve("job", later());
    for (let i = 0; i < 3; i++) await balancer.release("job", url);
    await balancer.release("never counted", A);
    expect(await shown()).toEqual([0, 0, 0]);
  });

  test("loses a crashed gateway's jobs when their leases end, without anybody's help", async () => {
    await balancer.reserve("short", Date.now() - 4_900); // its lease ends 5 s after its deadline: in 100 ms
    while ((await counted()).length > 0) {} // expires in Redis itself
    expect((await balancer.view()).map(({ load }) => load)).toEqual([0, 0, 0]);
  });

  test("of a worker that lost its job to another is left alone", async () => {
    const lost = await call("job", await balancer.reserve("job", later()));
    const taken = await call("job", lost.url);
    await balancer.finish(lost, ok);
    expect((await balancer.view()).map(({ running }) => running).reduce((a, b) => a + b)).toBe(1);
    await balancer.finish(taken, ok);
    expect(await shown()).toEqual([0, 0, 0]);
  });

  test("is the number of jobs under any interleaving of reserve, dispatch, failure, finish and release", async () => {
    const job = fc.integer({ min: 0, max: 9 }).map((n) => `job-${n}`);
    const step = fc.record({ do: fc.constantFrom("reserve", "dispatch", "fail", "finish", "release"), job });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        await server.client.flushall();
        balancer = withSettings({ failures: 1_000, error_rate: 1, limit: 2 });
        const truth = new Map<string, { reserved: string; on: string; call?: Call; failed: string[] }>();
        for (const { do: what, job } of steps) {
          const known = truth.get(job);
          if (what === "reserve" && !known) {
            const url = await balancer.reserve(job, later());
            truth.set(job, { reserved: url, on: url, failed: [] });
          }
          if (what === "release" && known) {
            await balancer.release(job, known.reserved);
            truth.delete(job);
          }
          if (what === "dispatch" && known && known.failed.length === 0) {
            const dispatched = await dispatch(job, known.reserved);
            if (dispatched.kind === "go")
              Object.assign(known, { call: dispatched.call, on: dispatched.call.url });
            else Object.assign(known, { call: undefined, on: known.reserved });
          }
          if (what === "finish" && known?.call) {
            await balancer.finish(known.call, ok);
            truth.delete(job);
          }
          if (what === "fail" && known?.call) {
            await balancer.finish(known.call, { ...failed, again: true });
            known.failed.push(known.call.url);
            const dispatched = await dispatch(job, known.reserved, known.failed);
            if (dispatched.kind === "go")
              Object.assign(known, { call: dispatched.call, on: dispatched.call.url });
            else if (dispatched.kind === "wait")
              Object.assign(known, { call: undefined, on: known.reserved });
            else truth.delete(job);
          }
          const counts = [A, B, C].map((url) => [...truth.values()].filter(({ on }) => on === url).length);
          expect(await shown()).toEqual(counts);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("dispatch", () => {
  test("confirms the reserved replica where nothing speaks against it", async () => {
    const url = await balancer.reserve("job", later());
    expect(await call("job", url)).toMatchObject({ url, moved: false, probe: false });
  });

  test("moves a job to a replica with fewer calls, and its count with it", async () => {
    await call("busy-1", A);
    await call("busy-2", A);
    await balancer.reserve("job", later());
    const { url, moved } = await call("job", A);
    expect(url).not.toBe(A);
    expect(moved).toBe(true);
    expect((await shown()).reduce((a, b) => a + b)).toBe(3);
  });

  test("lets a job wait when every replica has all the calls it may have, and tells when one is over", async () => {
    balancer = withSettings({ limit: 1 });
    const calls = [await call("1"), await call("2"), await call("3")];
    const subscriber = server.client.duplicate();
    await subscriber.subscribe(balancer.freed);
    const freed = new Promise((resolve) => subscriber.once("message", resolve));
    const reserved = await balancer.reserve("4", later());
    expect(await dispatch("4", reserved)).toMatchObject({ kind: "wait", reason: "full" });
    expect((await shown()).reduce((a, b) => a + b)).toBe(4);
    await balancer.finish(calls[1]!, ok);
    await freed;
    expect((await call("4", reserved)).url).toBe(calls[1]!.url);
    subscriber.disconnect();
  });

  test("goes to another replica after a failure, until none is left", async () => {
    const tried: string[] = [];
    const reserved = await balancer.reserve("job", later());
    for (let i = 0; i < 3; i++) {
      const made = await call("job", reserved, tried);
      await balancer.finish(made, { ...failed, again: true });
      tried.push(made.url);
    }
    expect(tried.sort()).toEqual([A, B, C] as string[]);
    expect(await dispatch("job", reserved, tried)).toEqual({ kind: "none" });
    expect(await shown()).toEqual([0, 0, 0]);
  });

  test("after a failure makes no call for a caller that is gone", async () => {
    const reserved = await balancer.reserve("job", later());
    const made = await call("job", reserved);
    await balancer.finish(made, { ...failed, again: true });
    await balancer.release("job", reserved);
    expect(await dispatch("job", reserved, [made.url])).toEqual({ kind: "gone" });
    expect(await shown()).toEqual([0, 0, 0]);
  });
});

describe("a breaker", () => {
  const [only] = [[A]] as const;
  const breaker = async (by: Balancer) => (await by.view())[0]!.breaker;

  test("opens on failures in a row, and attracts nothing then", async () => {
    for (let i = 0; i < DEFAULT_SETTINGS.failures; i++) {
      const made = await callOf(A, `job-${i}`);
      await balancer.finish(made, failed);
    }
    expect(await breaker(balancer)).toBe("open");
    for (let i = 0; i < 30; i++) expect(await balancer.reserve(`after-${i}`, later())).not.toBe(A);
    expect((await call("last", A)).url).not.toBe(A);
  });

  test("opens on an error rate, though some calls succeed", async () => {
    balancer = withSettings({ failures: 100, error_rate: 0.5 }, only);
    for (let i = 0; i < 21; i++) await balancer.finish(await call(`job-${i}`), i % 2 ? ok : failed);
    expect(await breaker(balancer)).toBe("open");
  });

  test("is not opened again, nor its cool-down changed, by calls that began before", async () => {
    balancer = withSettings({ failures: 2 }, only);
    const calls = await Promise.all([1, 2, 3, 4].map((n) => call(`job-${n}`)));
    for (const made of calls.slice(0, 2)) await balancer.finish(made, failed);
    const { open_until } = (await balancer.view())[0]!;
    await balancer.finish(calls[2]!, failed);
    await balancer.finish(calls[3]!, ok);
    expect((await balancer.view())[0]).toMatchObject({ breaker: "open", open_until });
  });

  test("lets exactly one probe through when its cool-down is over, and closes on its success", async () => {
    balancer = withSettings({ failures: 1, cooldown_ms: 1 }, only);
    await balancer.finish(await call("job"), failed);
    const reserved = A;
    const asked = await untilGo("probe", reserved);
    expect(asked.probe).toBe(true);
    expect(await dispatch("second", reserved)).toMatchObject({ kind: "wait", reason: "open" });
    await balancer.finish(asked, ok);
    expect(await breaker(balancer)).toBe("closed");
  });

  test("opens for longer when the probe fails, and frees the probe when it is aborted", async () => {
    balancer = withSettings({ failures: 1, cooldown_ms: 20 }, only);
    await balancer.finish(await call("job"), failed);
    const first = (await balancer.view())[0]!.open_until;
    await balancer.finish(await untilGo("aborted", A), { outcome: "aborted", latency_ms: 1, again: false });
    const probe = await call("probe");
    const asked_at = Date.now();
    await balancer.finish(probe, failed);
    const second = (await balancer.view())[0]!.open_until;
    expect(second).toBeGreaterThan(first);
    expect(second - asked_at).toBeGreaterThanOrEqual(39);
  });

  async function untilGo(job: string, reserved: string): Promise<Call> {
    for (;;) {
      const dispatched = await dispatch(job, reserved);
      if (dispatched.kind === "go") return dispatched.call;
    }
  }
});

describe("a policy that knows latency", () => {
  test.each(["peak-ewma", "learned"] as const)(
    "%s sends next to nothing to a replica five times as slow",
    async (policy) => {
      balancer = withSettings({ policy });
      const share = new Map<string, number>();
      for (let i = 0; i < 300; i++) {
        const made = await call(`job-${i}`, await balancer.reserve(`job-${i}`, later()));
        share.set(made.url, (share.get(made.url) ?? 0) + 1);
        await balancer.finish(made, { ...ok, latency_ms: made.url === A ? 500 : 100 });
      }
      expect(share.get(A) ?? 0).toBeLessThan(15);
      expect(share.get(B)!).toBeGreaterThan(30);
      expect(share.get(C)!).toBeGreaterThan(30);
    },
  );

  test("waits for a fast replica rather than take a free one that is far slower", async () => {
    balancer = withSettings({ policy: "peak-ewma", limit: 4 }, [A, B]);
    for (const [url, latency_ms] of [
      [A, 1_000],
      [B, 100],
    ] as const) {
      await balancer.finish(await callOf(url, "warm"), { ...ok, latency_ms });
    }
    const running = await Promise.all([1, 2, 3, 4].map((n) => call(`job-${n}`)));
    expect(running.every(({ url }) => url === B)).toBe(true);
    expect(await dispatch("5", B)).toMatchObject({ kind: "wait", reason: "full" });
  });

  test("a replica that hangs gets no more calls, though none has failed yet", async () => {
    balancer = withSettings({ policy: "peak-ewma" }, [A, B]);
    for (const url of [A, B]) await balancer.finish(await callOf(url, "warm"), { ...ok, latency_ms: 1 });
    await callOf(A, "hangs");
    for (let silent_ms = 0; silent_ms < 10; ) silent_ms = (await balancer.view())[0]!.age;
    for (let i = 0; i < 10; i++) {
      const made = await call(`job-${i}`, A);
      expect(made.url).toBe(B);
      await balancer.finish(made, { ...ok, latency_ms: 1 });
    }
  });
});

describe("replicas at run time", () => {
  test("one that is added takes jobs, with a slow start", async () => {
    await balancer.sync();
    expect(await balancer.change("http://d", "active")).toBe(false);
    const added = (await balancer.view()).find(({ url }) => url === "http://d");
    expect(added).toMatchObject({ state: "active", room: 1 });
    const chosen = new Set<string>();
    for (let i = 0; i < 120; i++) chosen.add(await balancer.reserve(`job-${i}`, later()));
    expect(chosen).toContain("http://d");
  });

  test("one that is drained gets no more, and keeps what it has", async () => {
    const url = await balancer.reserve("job", later());
    const made = await call("job", url);
    expect(await balancer.change(made.url, "draining")).toBe(true);
    for (let i = 0; i < 9; i++) expect(await balancer.reserve(`job-${i}`, later())).not.toBe(made.url);
    expect((await balancer.view()).find(({ url }) => url === made.url)).toMatchObject({
      state: "draining",
      running: 1,
    });
  });

  test("one that is removed stays so, though the configuration names it", async () => {
    await balancer.sync();
    await balancer.change(A, "removed");
    await balancer.sync();
    expect((await balancer.view()).map(({ url }) => url)).toEqual([B, C]);
    await balancer.change(A, "active");
    expect((await balancer.view()).map(({ url }) => url)).toEqual([A, B, C]);
  });

  test("one that the configuration no longer names is forgotten", async () => {
    await balancer.sync();
    await withSettings({}, [B, C]).sync();
    expect((await balancer.view()).map(({ url }) => url)).toEqual([B, C]);
  });
});
