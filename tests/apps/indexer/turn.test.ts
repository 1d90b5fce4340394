/** A job's turn on its document, on a real Redis. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { type IndexIn, redisNames } from "#contracts";
import { Cancelled, connectWorker } from "#queue";
import { Turns } from "../../../apps/indexer/turn.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const names = redisNames();
const NEVER = new AbortController().signal;
let server: TestRedis;
let redis: ReturnType<typeof connectWorker>;
let turns: Turns;

beforeAll(async () => {
  server = await startRedis();
  redis = connectWorker(server.url, () => {});
  turns = new Turns(redis, names);
});
beforeEach(() => server.client.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const job = (job_id: string, more: Partial<IndexIn> = {}): IndexIn => ({
  job_id,
  document_id: "d",
  source: "d",
  format: "text",
  content: "x",
  submitted_at: 0,
  deadline: 0,
  reply_to: "g",
  timings: {},
  latest_only: true,
  ...more,
});
const newest = (job_id: string) => server.client.hset(names.document("default", "d"), { job_id });

test("two jobs of one document are worked on one after the other", async () => {
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const foreign = { latest_only: undefined };
  const a = turns.during(job("a", foreign), NEVER, async () => {
    await first.promise;
    order.push("a");
  });
  await until(() => server.client.exists(names.turn("default", "d")));
  const b = turns.during(job("b", foreign), NEVER, async () => order.push("b"));
  const other = turns.during(job("c", { ...foreign, document_id: "e" }), NEVER, async () => order.push("c"));
  await other;
  first.resolve();
  await Promise.all([a, b]);
  expect(order).toEqual(["c", "a", "b"]);
});

test("a job that is not its document's newest is not begun", async () => {
  await newest("b");
  await expect(turns.during(job("a"), NEVER, async () => "begun")).rejects.toBeInstanceOf(Cancelled);
  expect(await turns.during(job("b"), NEVER, async () => "begun")).toBe("begun");
});

test("a job that is superseded midway may not write", async () => {
  await newest("a");
  const work = turns.during(job("a"), NEVER, async (turn) => {
    await turn.renew(0, 2);
    await newest("b");
    await turn.write(2);
    return "written";
  });
  await expect(work).rejects.toBeInstanceOf(Cancelled);
  expect(await server.client.exists(names.turn("default", "d"), names.progress("a"))).toBe(0);
});

test("a job whose turn has passed to another may not write", async () => {
  const work = turns.during(job("a", { latest_only: undefined }), NEVER, async (turn) => {
    await server.client.set(names.turn("default", "d"), "b");
    await turn.write(2);
  });
  await expect(work).rejects.toBeInstanceOf(Cancelled);
  expect(await server.client.get(names.turn("default", "d"))).toBe("b");
});

test("a job that comes again after its worker died goes on with its own turn", async () => {
  await server.client.set(names.turn("default", "d"), "a");
  expect(await turns.during(job("a"), NEVER, async () => "again")).toBe("again");
});

test("progress is seen during the work, and gone after it", async () => {
  await turns.during(job("a"), NEVER, async (turn) => {
    await turn.renew(64, 210);
    expect(await server.client.get(names.progress("a"))).toBe("64/210");
    expect(await server.client.pttl(names.progress("a"))).toBeGreaterThan(0);
  });
  expect(await server.client.get(names.progress("a"))).toBeNull();
});

test("waiting for a turn ends with the job's deadline, and leaves the other's turn alone", async () => {
  await server.client.set(names.turn("default", "d"), "b");
  const reason = new Error("the deadline passed");
  const waiting = turns.during(job("a"), AbortSignal.abort(reason), async () => "begun");
  await expect(waiting).rejects.toBe(reason);
  expect(await server.client.get(names.turn("default", "d"))).toBe("b");
});
