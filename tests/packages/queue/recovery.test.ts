/** What becomes of jobs whose worker died, froze, lost a reply, or put them off. */
import { describe, expect, test } from "bun:test";
import { queues } from "#contracts";
import { Fail, LeaseLost, push, Retry } from "#queue";
import { encoderJob } from "../../support/jobs.ts";
import { RedisProxy } from "../../support/redis-proxy.ts";
import { until } from "../../support/until.ts";
import { embedding, names, testStage } from "./test-stage.ts";

const QUEUE = "job:encoder_in";
/** Long enough for a heartbeat on a busy machine. */
const LEASE_MS = 1_000;
const stage = testStage({ lease_ms: LEASE_MS });
const { next, startEncoder: start } = stage;

/** As a consumer that died leaves it: messages in its list, its lease ended. */
async function dead(...ids: string[]): Promise<void> {
  for (const job_id of ids) {
    await stage.server.client.lpush(names.processing(QUEUE, "gone"), JSON.stringify(encoderJob({ job_id })));
  }
  await stage.server.client.zadd(names.consumers(QUEUE), Date.now() - 1, "gone");
}

test("a consumer takes nothing before its heartbeat's thread beats, too", async () => {
  await push(stage.server.client, names, queues.encoderIn, encoderJob());
  const commands: string[][] = [];
  const monitor = await stage.server.client.monitor(); // a connection of its own
  monitor.on("monitor", (_time: string, args: string[]) => commands.push(args));
  stage.stops.push(() => monitor.disconnect());
  start();
  await next();
  const taken = commands.findIndex(([name, key]) => /^B?LMOVE$/i.test(name!) && key === QUEUE);
  const beats = commands
    .slice(0, taken)
    .filter(([name, key]) => name === "ZADD" && key === names.consumers(QUEUE));
  expect(beats.length).toBeGreaterThanOrEqual(2);
});

describe("a consumer that died", () => {
  test("has its jobs done by another, in their order, each alone", async () => {
    await dead("a", "b", "c");
    const batches: string[][] = [];
    start({
      handle: async (jobs) => {
        batches.push(jobs.map((job) => job.job_id));
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    for (const job_id of ["a", "b", "c"]) expect((await next()).job_id).toBe(job_id);
    expect(batches).toEqual([["a"], ["b"], ["c"]]);
  });

  test("is given up only after a whole lease: after an outage everybody looks dead", async () => {
    await dead("a");
    const started = performance.now();
    start();
    await next();
    expect(performance.now() - started).toBeGreaterThan(LEASE_MS);
  });

  test("does not hold up what is in the queue", async () => {
    const { events } = start();
    await dead("a");
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "queued" }));
    const ids = [(await next()).job_id, (await next()).job_id];
    expect(ids.sort()).toEqual(["a", "queued"] as never);
    expect(events).toContainEqual({ kind: "reaped", returned: 1, buried: 0 });
  });
});

describe("a living consumer", () => {
  test("keeps its lease for as long as its handler works", async () => {
    const go = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const slow = start({
      handle: async (jobs) => {
        begun.resolve();
        await go.promise;
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "slow" }));
    await begun.promise;
    const other = start(); // reaps from its first lease's end on
    await dead("sentinel"); // when this one is taken back, the other has reaped
    await next();
    expect(await stage.server.client.llen(names.processing(QUEUE, slow.consumer.id))).toBe(1);
    go.resolve();
    expect((await next()).job_id).toBe("slow");
    // Whichever of the two took it back, it was the sentinel alone.
    const reaped = [...slow.events, ...other.events].filter((event) => event.kind === "reaped");
    expect(reaped).toEqual([{ kind: "reaped", returned: 1, buried: 0 }]);
  });

  test("whose heartbeat is late takes nothing before its lease is renewed", async () => {
    const lease_ends: number[] = [];
    const consumers = names.consumers(QUEUE);
    const proxy = await RedisProxy.start(stage.server.url);
    const { consumer } = start({
      lease: stage.lease(proxy.url),
      handle: async (jobs) => {
        lease_ends.push(Number(await stage.server.client.zscore(consumers, consumer.id)) - Date.now());
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    const lease_end = async () => Number(await stage.server.client.zscore(consumers, consumer.id));
    await push(stage.server.client, names, queues.encoderIn, encoderJob());
    await next();
    await proxy.stop(); // from now on the heartbeat does not reach Redis
    lease_ends.length = 0;
    await until(lease_end, (at) => at !== 0 && at <= Date.now());
    await stage.server.client.lpush(names.retry(QUEUE), JSON.stringify(encoderJob()));
    await next();
    expect(lease_ends[0]).toBeGreaterThan(0);
  });

  test("adopts a message whose reply was lost with its connection", async () => {
    const { consumer, events } = start();
    await push(stage.server.client, names, queues.encoderIn, encoderJob());
    await next();
    const stray = JSON.stringify(encoderJob({ job_id: "stray" }));
    await stage.server.client.lpush(names.processing(QUEUE, consumer.id), stray);
    expect((await next()).job_id).toBe("stray");
    expect(events).toContainEqual({ kind: "reconciled", adopted: 1, lost: 0 });
  });

  test("whose job was given to another hears of it, and does no harm", async () => {
    const begun = Promise.withResolvers<void>();
    const reason = Promise.withResolvers<unknown>();
    const { consumer } = start({
      handle: async (jobs, { signal }) => {
        if (jobs[0]!.query === "again") return jobs.map((job) => ({ ...job, embedding }));
        begun.resolve();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        reason.resolve(signal.reason);
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "taken" }));
    await begun.promise;
    await stage.server.client.del(names.processing(QUEUE, consumer.id)); // as a reaper does
    expect(await reason.promise).toBeInstanceOf(LeaseLost);
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "after", query: "again" }));
    expect((await next()).job_id).toBe("after");
    expect(await stage.server.client.llen(names.queue("job:retriever_in"))).toBe(0);
  });
});

describe("a job that is put off", () => {
  test("is tried again after a backoff", async () => {
    let tries = 0;
    const { events } = start({
      handle: async (jobs) => {
        if (++tries < 3) throw new Retry(new Fail("store_unavailable", "not now"));
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "later" }));
    const done = await next();
    expect(done).toMatchObject({ job_id: "later" });
    expect(done.attempts).toBeUndefined();
    const attempts = events.filter((event) => event.kind === "retry").map((event) => event.attempt);
    expect(attempts).toEqual([1, 2]);
  });

  test("is failed where its deadline allows no more", async () => {
    start({
      handle: async ([job]) => {
        if (job!.job_id === "first") return [{ ...job!, embedding }];
        throw new Retry(new Fail("store_unavailable", "not now"));
      },
    });
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "first" }));
    await next(); // it takes messages: the deadline is for the handler alone
    const subscriber = stage.server.client.duplicate();
    await subscriber.subscribe(names.done("gateway-test"));
    const told = new Promise<string>((resolve) => subscriber.on("message", (_channel, id) => resolve(id)));
    const job = encoderJob({ deadline: Date.now() + 300 });
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toBe(job.job_id);
    const completion = JSON.parse((await stage.server.client.get(names.completion(job.job_id)))!);
    expect(completion).toMatchObject({ status: "error", code: "store_unavailable" });
    expect(await stage.server.client.zcard(names.delayed(QUEUE))).toBe(0);
    subscriber.disconnect();
  });
});
