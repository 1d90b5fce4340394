/** The consumer's promises, on a real Redis. */
import { describe, expect, test } from "bun:test";
import { completions, packEmbedding, queues } from "#contracts";
import { Consumer, connectBlocking, connectWorker, Fail, push, type QueueRedis } from "#queue";
import { encoderJob, llmJob } from "../../support/jobs.ts";
import { startRedis } from "../../support/redis.ts";
import { embedding, names, testStage } from "./test-stage.ts";

const stage = testStage({ lease_ms: 5_000 });
const { stops, lease, connections, startEncoder, startWaiter, next, deadLetters } = stage;
const quiet = () => {};

describe("a consumer", () => {
  test("hands a job on with what its handler says and what it cost", async () => {
    startEncoder();
    const job = encoderJob();
    await push(stage.server.client, names, queues.encoderIn, job);
    const successor = await next();
    expect(successor).toMatchObject({ job_id: job.job_id, query: job.query, embedding });
    expect(successor.timings).toEqual({
      encoder: { waited: expect.any(Number), worked: expect.any(Number) },
    });
  });

  test("takes jobs in their order, as many at once as the batch allows", async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `job-${i}`);
    for (const job_id of ids)
      await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id }));
    const batches: string[][] = [];
    startEncoder({
      handle: async (jobs) => {
        batches.push(jobs.map((job) => job.job_id));
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    for (const job_id of ids) expect((await next()).job_id).toBe(job_id);
    expect(batches.flat()).toEqual(ids);
    expect(batches[0]!.length).toBe(8);
  });

  test("keeps no more calls of its handler under way than allowed", async () => {
    let under_way = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    startEncoder({
      batch: 1,
      concurrency: 3,
      prefetch: 3,
      handle: async (jobs) => {
        most = Math.max(most, ++under_way);
        if (under_way === 3) gate.resolve();
        await gate.promise;
        under_way--;
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    for (let i = 0; i < 9; i++) await push(stage.server.client, names, queues.encoderIn, encoderJob());
    for (let i = 0; i < 9; i++) await next();
    expect(most).toBe(3);
  });

  test("leaves nothing in its own list when all is done", async () => {
    const { consumer } = startEncoder();
    for (let i = 0; i < 50; i++) await push(stage.server.client, names, queues.encoderIn, encoderJob());
    for (let i = 0; i < 50; i++) await next();
    await consumer.stop(1_000);
    expect(await stage.server.client.keys("*processing*")).toEqual([]);
    expect(await stage.server.client.llen(names.queue("job:encoder_in"))).toBe(0);
  });
});

describe("a message that does not fit", () => {
  const cases: [what: string, message: string, reason: RegExp][] = [
    ["is not JSON", "{nonsense", /not JSON/],
    ["misses a field", JSON.stringify({ ...encoderJob({ job_id: "j" }), query: undefined }), /\/query/],
    [
      "has a field of another type",
      JSON.stringify({ ...encoderJob({ job_id: "j" }), top_k: "5" }),
      /\/top_k/,
    ],
    ["is not an object", "42", /does not fit/],
  ];
  test.each(cases)(
    "%s: goes to the dead letters with the reason, and the worker goes on",
    async (_, message, reason) => {
      const { events } = startEncoder();
      await stage.server.client.lpush(names.queue("job:encoder_in"), message);
      await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "after" }));
      expect((await next()).job_id).toBe("after");
      const [letter] = await deadLetters("job:encoder_in");
      expect(letter).toMatchObject({
        message,
        stage: "encoder",
        deliveries: 0,
        reason: expect.stringMatching(reason),
      });
      expect(events.some((event) => event.kind === "dead")).toBe(true);
    },
  );

  test("bytes that are no UTF-8 go to the dead letters once", async () => {
    const { events } = startEncoder();
    const valid = Buffer.from(JSON.stringify(encoderJob({ query: "caf? au lait" })));
    valid[valid.indexOf("?")] = 0xe9; // Latin-1
    await stage.server.client.lpush(names.queue("job:encoder_in"), valid);
    await push(
      stage.server.client,
      names,
      queues.encoderIn,
      encoderJob({ job_id: "after", query: "a \uFFFD that is meant" }),
    );
    expect((await next()).job_id).toBe("after");
    while (!events.some((event) => event.kind === "dead")) await Bun.sleep(1);
    expect(await deadLetters("job:encoder_in")).toMatchObject([{ reason: "is not UTF-8" }]);
    expect(await stage.server.client.keys("*processing*")).toEqual([]);
  });

  test("has its caller told at once, where its job can be read", async () => {
    const { wait } = await startWaiter();
    startEncoder();
    const told = wait("known");
    await stage.server.client.lpush(
      names.queue("job:encoder_in"),
      JSON.stringify({ job_id: "known", reply_to: "gateway-test" }),
    );
    expect(await told).toMatchObject({
      job_id: "known",
      status: "error",
      code: "invalid_message",
      stage: "encoder",
    });
  });

  test("a vector of the wrong length is one", async () => {
    const job = { ...encoderJob({ job_id: "short" }), embedding: packEmbedding(new Float32Array(383)) };
    expect(queues.retrieverIn.message.check(job)).toBe(false);
    expect(queues.retrieverIn.message.explain(job)).toContain("/embedding");
  });
});

describe("what a handler says", () => {
  test("Fail reaches the caller as an error with its code, and is no dead letter", async () => {
    const { wait } = await startWaiter();
    startEncoder({
      handle: async () => {
        throw new Fail("too_hard", "this one is too hard");
      },
    });
    const job = encoderJob();
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toMatchObject({ status: "error", code: "too_hard", message: "this one is too hard" });
    expect(await deadLetters("job:encoder_in")).toEqual([]);
  });

  test("an unknown error reaches the caller and becomes a dead letter", async () => {
    const { wait } = await startWaiter();
    startEncoder({
      handle: async () => {
        throw new TypeError("a bug");
      },
    });
    const job = encoderJob();
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toMatchObject({ status: "error", code: "internal" });
    expect((await deadLetters("job:encoder_in"))[0]?.reason).toBe("a bug");
  });

  test("a result that does not fit the next queue never enters it", async () => {
    const { wait } = await startWaiter();
    startEncoder({ handle: async (jobs) => jobs.map((job) => ({ ...job, embedding: "short" })) });
    const job = encoderJob();
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toMatchObject({ status: "error", code: "internal" });
    expect(await stage.server.client.llen(names.queue("job:retriever_in"))).toBe(0);
  });

  test("one job's error leaves the others of its batch alone", async () => {
    const { wait } = await startWaiter();
    const [good, bad] = [encoderJob(), encoderJob()];
    const told = wait(bad.job_id);
    await push(stage.server.client, names, queues.encoderIn, good);
    await push(stage.server.client, names, queues.encoderIn, bad);
    startEncoder({
      handle: async (jobs) =>
        jobs.map((job) => (job.job_id === bad.job_id ? new Fail("bad", "bad") : { ...job, embedding })),
    });
    expect((await next()).job_id).toBe(good.job_id);
    expect(await told).toMatchObject({ code: "bad" });
  });

  test("a job past its deadline is completed as expired without being handled", async () => {
    const { wait } = await startWaiter();
    let handled = 0;
    startEncoder({
      handle: async (jobs) => {
        handled += jobs.length;
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    const job = encoderJob({ deadline: Date.now() - 1 });
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toMatchObject({ status: "expired", stage: "encoder" });
    expect(handled).toBe(0);
  });

  test("the signal of a handler fires at the job's deadline", async () => {
    const { wait } = await startWaiter();
    startEncoder({
      handle: (_jobs, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const job = encoderJob({ deadline: Date.now() + 1_000 });
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.encoderIn, job);
    expect(await told).toMatchObject({ status: "expired" });
  });
});

describe("stopping", () => {
  test("finishes what is being handled", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const { consumer } = startEncoder({
      handle: async (jobs) => {
        begun.resolve();
        await go.promise;
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id: "last" }));
    await begun.promise;
    const stopped = consumer.stop(5_000);
    go.resolve();
    await stopped;
    expect((await next()).job_id).toBe("last");
  });

  test("puts back what is not done within the bound, in its old order", async () => {
    const begun = Promise.withResolvers<void>();
    const { consumer } = startEncoder({
      batch: 1,
      prefetch: 3,
      handle: (_jobs, { signal }) => {
        begun.resolve();
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    const ids = ["a", "b", "c", "d"];
    for (const job_id of ids)
      await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id }));
    await begun.promise;
    await consumer.stop(50);
    const left = await stage.server.client.lrange(names.queue("job:encoder_in"), 0, -1);
    expect(left.reverse().map((message) => JSON.parse(message).job_id)).toEqual(ids);
    expect(await deadLetters("job:encoder_in")).toEqual([]);
  });

  test("is quick while it waits for messages at the server", async () => {
    const { consumer } = startEncoder();
    await push(stage.server.client, names, queues.encoderIn, encoderJob());
    await next();
    const started = performance.now();
    await consumer.stop(5_000);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("keeps its bound when Redis does not answer", async () => {
    const own = await startRedis();
    const redis = connectWorker(own.url, quiet) as QueueRedis;
    const blocking = connectBlocking(own.url, quiet);
    const begun = Promise.withResolvers<void>();
    const { consumer } = startEncoder({
      redis,
      blocking,
      handle: () => {
        begun.resolve();
        return new Promise(() => {});
      },
    });
    await push(own.client, names, queues.encoderIn, encoderJob());
    await begun.promise;
    process.kill(own.pid, "SIGSTOP");
    const started = performance.now();
    await consumer.stop(200);
    expect(performance.now() - started).toBeLessThan(1_500);
    redis.disconnect();
    blocking.disconnect();
    await own.stop();
  });
});

describe("a Redis that goes away", () => {
  test("a consumer waits for it and goes on", async () => {
    const own = await startRedis();
    const redis = connectWorker(own.url, quiet) as QueueRedis;
    const blocking = connectBlocking(own.url, quiet);
    startEncoder({ redis, blocking });
    await push(own.client, names, queues.encoderIn, encoderJob());
    await own.client.brpop(names.queue("job:retriever_in"), 10);
    await own.kill();
    await own.restart();
    await push(own.client, names, queues.encoderIn, encoderJob({ job_id: "afterwards" }));
    const popped = await own.client.brpop(names.queue("job:retriever_in"), 10);
    expect(JSON.parse(popped![1]).job_id).toBe("afterwards");
    redis.disconnect();
    blocking.disconnect();
    await own.stop();
  });
});

describe("waiting for a completion", () => {
  const answer = (job_id: string) => ({
    job_id,
    status: "ok" as const,
    answer: "An answer [1].",
    sources: [],
    selected_replica: "http://127.0.0.1:1",
    worker: "w",
    timings: {},
  });

  test("ends when the last stage is done", async () => {
    const { wait } = await startWaiter();
    const consumer = new Consumer({
      stage: "llm",
      from: queues.llmIn,
      to: completions,
      handle: async (jobs) => jobs.map((job) => ({ ...answer(job.job_id), timings: job.timings })),
      batch: 1,
      concurrency: 1,
      prefetch: 1,
      names,
      lease: lease(),
      observe: quiet,
      ...connections(),
    });
    consumer.start();
    stops.push(() => consumer.stop(1_000));
    const job = llmJob();
    const told = wait(job.job_id);
    await push(stage.server.client, names, queues.llmIn, job);
    expect(await told).toMatchObject({
      status: "ok",
      answer: "An answer [1].",
      timings: { llm: expect.any(Object) },
    });
  });

  test("finds a completion whose notice was lost", async () => {
    const { wait } = await startWaiter();
    const told = wait("unnoticed");
    await stage.server.client.set(
      names.completion("unnoticed"),
      JSON.stringify(answer("unnoticed")),
      "EX",
      60,
    );
    expect(await told).toMatchObject({ status: "ok" });
  });

  test("ends as expired at the deadline", async () => {
    const { waiter } = await startWaiter();
    const waiting = waiter.wait("never", Date.now() + 30, new AbortController().signal);
    expect(waiting).rejects.toMatchObject({ name: "Expired" });
    await waiting.catch(() => {});
  });

  test("ends when its client hangs up", async () => {
    const { waiter } = await startWaiter();
    const client = new AbortController();
    const waiting = waiter.wait("left", Date.now() + 10_000, client.signal);
    client.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
  });

  test("a completion that does not fit is an error of its job", async () => {
    const { wait } = await startWaiter();
    const told = wait("odd");
    await stage.server.client.set(names.completion("odd"), '{"status":"fine"}');
    expect(await told).toMatchObject({ status: "error", code: "invalid_completion" });
  });
});

test("a consumer that is paced takes as many as it is told, and more only when all of them have begun", async () => {
  const begins: (() => void)[] = [];
  const handled: string[] = [];
  const held = () => stage.server.client.llen(names.queue("job:encoder_in"));
  for (const job_id of ["a", "b", "c", "d"])
    await push(stage.server.client, names, queues.encoderIn, encoderJob({ job_id }));
  const all = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const two = Promise.withResolvers<void>();
  startEncoder({
    batch: 1,
    concurrency: 8,
    paced: () => 2,
    handle: async (jobs, { begun }) => {
      handled.push(jobs[0]!.job_id);
      begins.push(begun);
      if (begins.length === 2) two.resolve();
      if (begins.length === 4) all.resolve();
      await go.promise;
      return jobs.map((job) => ({ ...job, embedding }));
    },
  });
  await two.promise;
  begins[0]!();
  expect(await held()).toBe(2);
  begins[1]!();
  await all.promise;
  expect(handled).toEqual(["a", "b", "c", "d"]);
  go.resolve();
  for (const job_id of handled) expect((await next()).job_id).toBe(job_id);
});
