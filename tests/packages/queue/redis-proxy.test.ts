/** The queue's promises over a bad network: replies that come late, get lost, or never come. */
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { completions, type EncoderIn, queues } from "#contracts";
import {
  Admission,
  CompletionWaiter,
  Consumer,
  connectProducer,
  connectSubscriber,
  push,
  questionLine,
} from "#queue";
import { encoderJob } from "../../support/jobs.ts";
import { RedisProxy, type ReplyFault } from "../../support/redis-proxy.ts";
import { embedding, names, questions, testStage } from "./test-stage.ts";

setDefaultTimeout(60_000);

const QUEUE = names.queue("job:encoder_in");
const TAKE = /:encoder_in:retry/;
const WAIT = /blmove/i;
const SETTLE = /"embedding"/;
const COMPLETE = /job:completion:/;
const ADMIT = /job:accepted:/;

const stage = testStage({ lease_ms: 1_000 });
let proxy: RedisProxy;

beforeEach(async () => {
  const one = await RedisProxy.start(stage.server.url);
  proxy = one;
  stage.stops.push(() => one.stop());
});

const enqueue = (job_id: string) =>
  push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id }));

/** Ids that came out of the stage, once all of it is empty. */
async function settled(jobs: number): Promise<unknown[]> {
  const ids = [];
  for (let i = 0; i < jobs; i++) ids.push((await stage.next()).job_id);
  await empty();
  for (const message of await stage.server.client.lrange(names.queue("job:retriever_in"), 0, -1)) {
    ids.push(JSON.parse(message).job_id);
  }
  return ids.sort();
}

/** Resolves when nothing is left in the queue, in the retry lane, or held. */
async function empty(): Promise<void> {
  while (
    (await stage.server.client.keys(`${QUEUE}*`)).some((key) => !/:(consumers|pace|left:\d+)$/.test(key))
  ) {}
}

function producer(url: string) {
  const redis = connectProducer(url, () => {});
  stage.stops.push(() => redis.disconnect());
  return new Promise<typeof redis>((resolve) => redis.once("ready", () => resolve(redis)));
}

describe("a lost reply", () => {
  test("of a take: what it gave is adopted", async () => {
    for (const id of ["a", "b", "c"]) await enqueue(id);
    const { lost } = proxy.loseReplyTo(TAKE);
    const { events } = stage.startEncoder({}, proxy.url);
    await lost;
    expect(await settled(3)).toEqual(["a", "b", "c"]);
    expect(events).toContainEqual({ kind: "reconciled", adopted: 3, lost: 0 });
  });

  test("of a wait at the server: what it gave is adopted", async () => {
    const { events } = stage.startEncoder({}, proxy.url);
    await enqueue("a");
    await stage.next();
    const { asked, lost } = proxy.loseReplyTo(WAIT);
    await enqueue("b"); // ends the wait that is under way
    await asked;
    await enqueue("c");
    await lost;
    expect(await settled(2)).toEqual(["b", "c"]);
    expect(events.some((event) => event.kind === "reconciled" && event.adopted > 0)).toBe(true);
  });

  test("of a settle: the job goes on once", async () => {
    stage.startEncoder({}, proxy.url);
    const { lost } = proxy.loseReplyTo(SETTLE);
    await enqueue("a");
    await lost;
    await enqueue("b");
    expect(await settled(2)).toEqual(["a", "b"]);
  });

  test("of a completion: its caller is told once", async () => {
    const notices: string[] = [];
    const subscriber = stage.server.client.duplicate();
    stage.stops.push(() => subscriber.disconnect());
    await subscriber.subscribe(names.done("gateway-test"));
    subscriber.on("message", (_channel, id) => notices.push(id));
    startAnswering();
    const { lost } = proxy.loseReplyTo(COMPLETE);
    await enqueue("a");
    await lost;
    await empty();
    await enqueue("b");
    while (!notices.includes("b")) await subscriber.ping();
    expect(notices).toEqual(["a", "b"]);
  });

  test("of an admission: pushed again, it finds its job accepted", async () => {
    const redis = await producer(proxy.url);
    const admission = new Admission(redis, names, questionLine, 10);
    const job = encoderJob();
    const { lost } = proxy.loseReplyTo(ADMIT);
    await expect(admission.admit(job, job.job_id, "digest")).rejects.toThrow();
    await lost;
    await new Promise((resolve) => redis.once("ready", resolve));
    expect(await admission.admit(job, job.job_id, "digest")).toMatchObject({ kind: "seen" });
    expect(await stage.server.client.llen(QUEUE)).toBe(1);
  });
});

describe("a slow Redis", () => {
  test("costs no lease, and does nothing twice", async () => {
    let pieces = 0;
    proxy.delay = () => 25 + ((37 * pieces++) % 76); // 50 to 200 ms there and back
    let handled = 0;
    const options = {
      handle: async (jobs: EncoderIn[]) => {
        handled += jobs.length;
        return jobs.map((job) => ({ ...job, embedding }));
      },
    };
    const slow = [stage.startEncoder(options, proxy.url), stage.startEncoder(options, proxy.url)];
    const ids = Array.from({ length: 60 }, (_, i) => `job-${i + 10}`);
    for (const id of ids) await enqueue(id);
    expect(await settled(60)).toEqual(ids);
    expect(handled).toBe(60);
    const events = slow.flatMap((one) => one.events);
    expect(events.filter(({ kind }) => kind === "reaped" || kind === "reconciled")).toEqual([]);
  });
});

describe("a connection that is left half open", () => {
  test("is noticed by a consumer, which goes on", async () => {
    stage.startEncoder({}, proxy.url);
    await enqueue("before");
    await stage.next();
    proxy.hang();
    await enqueue("after");
    expect(await settled(1)).toEqual(["after"]);
  });

  test("of a consumer that holds a job: it is handed on once", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    stage.startEncoder(
      {
        handle: async (jobs) => {
          begun.resolve();
          await go.promise;
          return jobs.map((job) => ({ ...job, embedding }));
        },
      },
      proxy.url,
    );
    await enqueue("held");
    await begun.promise;
    proxy.hang();
    go.resolve();
    expect(await settled(1)).toEqual(["held"]);
  });

  test("fails a producer's command within a second, and is given up for a new one", async () => {
    const redis = await producer(proxy.url);
    const admission = new Admission(redis, names, questionLine, 10);
    proxy.hang();
    const job = encoderJob();
    const started = performance.now();
    await expect(admission.admit(job, job.job_id, "digest")).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(1_000);
    await new Promise((resolve) => redis.once("ready", resolve));
    expect(await admission.admit(job, job.job_id, "digest")).toEqual({ kind: "admitted" });
  });

  test("of a waiter: the completion is found all the same", async () => {
    const [redis, subscriber] = [await producer(proxy.url), connectSubscriber(proxy.url, () => {})];
    const waiter = new CompletionWaiter("gateway-test", redis, subscriber, names, () => {});
    stage.stops.push(() => {
      waiter.close();
      subscriber.disconnect();
    });
    await waiter.start();
    const told = waiter.wait("a", Date.now() + 30_000, new AbortController().signal);
    proxy.hang();
    startAnswering(stage.server.url);
    await enqueue("a");
    expect(await told).toMatchObject({ status: "ok" });
  });
});

test("whatever is late, cut or lost, every job is completed exactly once", async () => {
  const fault = fc.record({
    after: fc.integer({ min: 0, max: 12 }),
    fault: fc.constantFrom<ReplyFault>("cut", "lose"),
  });
  const delays = fc.array(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: 8 });
  const notices: string[] = [];
  const subscriber = stage.server.client.duplicate();
  stage.stops.push(() => subscriber.disconnect());
  await subscriber.subscribe(names.done("gateway-test"));
  subscriber.on("message", (_channel, id) => notices.push(id));
  const redis = await producer(proxy.url);
  const admission = new Admission(redis, names, questionLine, 1_000);
  for (const _ of [1, 2]) startAnswering();

  await fc.assert(
    fc.asyncProperty(fc.array(fault, { minLength: 3, maxLength: 12 }), delays, async (faults, lateness) => {
      notices.length = 0;
      let piece = 0;
      proxy.delay = () => lateness[piece++ % lateness.length]!;
      proxy.plan(faults);
      const jobs = Array.from({ length: 20 }, () => encoderJob());
      await Promise.all(jobs.map((job) => admitted(admission, job)));
      while (new Set(notices).size < jobs.length) await subscriber.ping();
      await empty();
      await subscriber.ping();
      expect(notices.toSorted()).toEqual(jobs.map((job) => job.job_id).sort());
      const found = await stage.server.client.mget(jobs.map((job) => names.completion(job.job_id)));
      expect(found.map((completion) => JSON.parse(completion!).status)).toEqual(jobs.map(() => "ok"));
    }),
    { numRuns: 15 },
  );
});

/** As a client does that retries: until it hears that the job is on the line. */
async function admitted(admission: Admission, job: EncoderIn): Promise<void> {
  for (;;) {
    try {
      await admission.admit(job, job.job_id, "digest");
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
}

/** A last stage that answers at once. */
function startAnswering(url = proxy.url) {
  const consumer = new Consumer({
    stage: "encoder",
    from: questions,
    to: completions,
    handle: async (jobs) =>
      jobs.map(({ job_id, timings, selected_replica }) => {
        const answer = { answer: "Yes [1].", sources: [], worker: "w" };
        return { job_id, status: "ok" as const, ...answer, selected_replica, timings };
      }),
    batch: 4,
    concurrency: 2,
    prefetch: 16,
    names,
    lease: { ...stage.lease(url), max_deliveries: 10 },
    observe: () => {},
    ...stage.connections(url),
  });
  consumer.start();
  stage.stops.push(() => consumer.stop(1_000));
}
