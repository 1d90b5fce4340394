/** Jobs that nobody wants done any more: not handled, wherever they are, and their callers told at once. */
import { beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { EncoderIn } from "#contracts";
import { Admission, Canceller, questionLine } from "#queue";
import { encoderJob } from "../../support/jobs.ts";
import { RedisProxy } from "../../support/redis-proxy.ts";
import { embedding, names, testStage } from "./test-stage.ts";

setDefaultTimeout(20_000);

const stage = testStage({ lease_ms: 5_000 });
let admission: Admission;
let canceller: Canceller;

beforeEach(() => {
  admission = new Admission(stage.server.client, names, questionLine, 1_000);
  canceller = new Canceller(stage.server.client, names);
});

async function admitted(more: Partial<EncoderIn> = {}, key?: string): Promise<EncoderIn> {
  const job = encoderJob(more);
  await admission.admit(job, key ?? job.job_id, "digest");
  return job;
}

/** A handler that passes jobs on, and the ids of those that it got. */
function noting() {
  const handled: string[] = [];
  const handle = async (jobs: EncoderIn[]) => {
    handled.push(...jobs.map((job) => job.job_id));
    return jobs.map((job) => ({ ...job, embedding }));
  };
  return { handled, handle };
}

const completion = async (job_id: string) =>
  JSON.parse((await stage.server.client.get(names.completion(job_id)))!);

test("a job that is being handled is aborted, and its caller told", async () => {
  const { wait } = await stage.startWaiter();
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  stage.startEncoder({
    batch: 1,
    handle: (_jobs, { signal }) => {
      begun.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          aborted.resolve(signal.reason);
          reject(signal.reason);
        }),
      );
    },
  });
  const { job_id } = await admitted();
  const told = wait(job_id);
  await begun.promise;
  expect(await canceller.cancel(job_id)).toEqual({ kind: "cancelled" });
  expect(await told).toMatchObject({ status: "cancelled", code: "cancelled" });
  expect(await aborted.promise).toMatchObject({ name: "Cancelled" });
  expect(await stage.server.client.llen(names.queue("job:retriever_in"))).toBe(0);
});

test("a job that waits behind another at its worker is not handled", async () => {
  const { handled, handle } = noting();
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const connected = stage.connections();
  const heard = new Promise((resolve) => connected.cancellations.onCancel(resolve));
  stage.startEncoder({
    ...connected,
    batch: 1,
    handle: async (jobs) => {
      begun.resolve();
      await go.promise;
      return handle(jobs);
    },
  });
  const first = await admitted();
  await begun.promise;
  const unwanted = await admitted();
  await canceller.cancel(unwanted.job_id);
  await heard;
  go.resolve();
  const last = await admitted();
  for (const { job_id } of [first, last]) expect((await stage.next()).job_id).toBe(job_id);
  expect(handled).toEqual([first.job_id, last.job_id]);
});

describe("a job that nobody has taken", () => {
  test("has its caller told at once, though no worker runs", async () => {
    const { wait } = await stage.startWaiter();
    const { job_id } = await admitted();
    const told = wait(job_id);
    await canceller.cancel(job_id);
    expect(await told).toMatchObject({ status: "cancelled" });
  });

  test("is not handled by a worker that starts later", async () => {
    const unwanted = await admitted();
    await canceller.cancel(unwanted.job_id);
    const wanted = await admitted();
    const { handled, handle } = noting();
    stage.startEncoder({ handle });
    expect((await stage.next()).job_id).toBe(wanted.job_id);
    expect(handled).toEqual([wanted.job_id]);
    while ((await stage.server.client.keys("*processing*")).length > 0) {}
  });

  test("is not handled by a worker that was away", async () => {
    const proxy = await RedisProxy.start(stage.server.url);
    stage.stops.push(() => proxy.stop());
    const { handled, handle } = noting();
    stage.startEncoder({ handle }, proxy.url);
    const first = await admitted();
    await stage.next();
    proxy.hang();
    // Redis still has a wait of the lost connection to serve.
    const filler = await admitted();
    const unwanted = await admitted();
    await canceller.cancel(unwanted.job_id);
    const wanted = await admitted();
    const out = [(await stage.next()).job_id, (await stage.next()).job_id];
    expect(out.sort()).toEqual([filler.job_id, wanted.job_id].sort());
    expect(handled.toSorted()).toEqual([first.job_id, filler.job_id, wanted.job_id].sort());
  });
});

describe("what became of a job stands", () => {
  test("a result that comes after the cancellation is not told", async () => {
    const { redis } = stage.connections();
    const { job_id } = await admitted();
    const [, message] = await redis.queueTake(names.queue("job:encoder_in"), "held", "retry", 1, 0);
    await canceller.cancel(job_id);
    const told = [60, 1, message!, '{"status":"ok"}', "done:g", job_id];
    expect(await redis.queueComplete(4, "held", "counts", "q", names.completion(job_id), ...told)).toBe(1);
    expect(await completion(job_id)).toMatchObject({ status: "cancelled" });
  });

  test("a cancellation that comes after the result says so", async () => {
    const { job_id } = await admitted();
    await stage.server.client.set(names.completion(job_id), '{"status":"ok"}', "EX", 60);
    expect(await canceller.cancel(job_id)).toEqual({ kind: "done", completion: '{"status":"ok"}' });
    expect(await stage.server.client.exists(names.cancelled())).toBe(0);
  });

  test("a second cancellation finds the first, for as long as the job is known", async () => {
    const { job_id } = await admitted();
    await canceller.cancel(job_id);
    const again = await canceller.cancel(job_id);
    expect(again).toMatchObject({
      kind: "done",
      completion: expect.stringContaining('"status":"cancelled"'),
    });
    expect(await stage.server.client.pttl(names.completion(job_id))).toBeGreaterThan(100_000);
  });
});

describe("which jobs are known", () => {
  test("one that was accepted under an idempotency key is known by its id", async () => {
    const { job_id } = await admitted({}, "key");
    expect(await canceller.cancel(job_id)).toEqual({ kind: "cancelled" });
  });

  test("an idempotency key is no job's id", async () => {
    const { job_id } = await admitted({}, "key");
    expect(await canceller.cancel("key")).toEqual({ kind: "unknown" });
    expect(await admission.admit(encoderJob(), job_id, "digest")).toEqual({ kind: "admitted" });
  });

  test("one that was never accepted is not, and nobody hears of it", async () => {
    expect(await canceller.cancel("nobody's")).toEqual({ kind: "unknown" });
    expect(await stage.server.client.keys("*")).toEqual([]);
  });
});

test("cancellations are forgotten when their jobs' deadlines are well past", async () => {
  const old = await Promise.all([1, 2, 3].map(() => admitted({ deadline: Date.now() - 61_000 })));
  // Records of jobs so old are gone in a second.
  for (const { job_id, deadline } of old) {
    const record = JSON.stringify({ job_id, deadline, digest: "digest", reply_to: "gateway-test" });
    await stage.server.client.set(names.accepted(job_id), record, "PX", 60_000);
  }
  const { job_id } = await admitted();
  for (const id of [job_id, ...old.map((job) => job.job_id)]) await canceller.cancel(id);
  expect(await stage.server.client.xlen(names.cancelled())).toBe(4);
  // The oldest one is needed still, and what came after it stays with it.
  await stage.server.client.xdel(
    names.cancelled(),
    (await stage.server.client.xrange(names.cancelled(), "-", "+"))[0]![0],
  );
  const last = await admitted();
  await canceller.cancel(last.job_id);
  expect(await stage.server.client.xlen(names.cancelled())).toBe(1);
  expect(await stage.server.client.pttl(names.cancelled())).toBeLessThan(121_000);
});

test("a job is its tenant's: in another's name it is unknown, waiting or done", async () => {
  const { job_id } = await admitted({ tenant: "a" });
  expect(await canceller.cancel(job_id, "b")).toEqual({ kind: "unknown" });
  expect(await canceller.cancel(job_id, "default")).toEqual({ kind: "unknown" });
  expect(await canceller.cancel(job_id, "a")).toEqual({ kind: "cancelled" });
  expect(await canceller.cancel(job_id, "b")).toEqual({ kind: "unknown" });
  const { job_id: of_nobody } = await admitted();
  expect(await canceller.cancel(of_nobody, "a")).toEqual({ kind: "unknown" });
  expect(await canceller.cancel(of_nobody, "default")).toEqual({ kind: "cancelled" });
});
