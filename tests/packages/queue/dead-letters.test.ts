/** The dead letters of a queue, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type DeadLetter, queues, redisNames } from "#contracts";
import { DeadLetters, NoSuchLetter } from "#queue";
import { encoderJob } from "../../support/jobs.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const QUEUE = "job:encoder_in";
const DEAD = "job:encoder_in:dead";

let server: TestRedis;
let dead: DeadLetters;

beforeAll(async () => {
  server = await startRedis();
  dead = new DeadLetters(server.client, redisNames());
});
beforeEach(() => server.client.flushall());
afterAll(() => server.stop());

function letter(message: string, more: Partial<DeadLetter> = {}): DeadLetter {
  return { message, reason: "the model is gone", stage: "encoder", at: 1_000, deliveries: 3, ...more };
}

/** As the consumers do: the newest in front. */
async function bury(...letters: DeadLetter[]): Promise<void> {
  for (const one of letters) await server.client.lpush(DEAD, JSON.stringify(one));
}

const messages = (key: string) => server.client.lrange(key, 0, -1);
const numbers = (found: readonly { number: number }[]) => found.map(({ number }) => number);

describe("list and show", () => {
  test("number the letters from the oldest, so that a new one renumbers none", async () => {
    await bury(letter("old"), letter("older than the next"));
    await bury(letter("new"));
    const found = await dead.list(QUEUE);
    expect(found.map(({ number, letter }) => [number, letter.message])).toEqual([
      [1, "old"],
      [2, "older than the next"],
      [3, "new"],
    ]);
  });

  test("reach all letters, however many", async () => {
    await bury(...Array.from({ length: 500 }, (_, i) => letter(`message ${i + 1}`)));
    const found = await dead.list(QUEUE);
    expect(found.map(({ letter }) => letter.message)).toEqual(numbers(found).map((n) => `message ${n}`));
    expect(found).toHaveLength(500);
    await bury(letter("message 501"));
    expect(await dead.list(QUEUE)).toHaveLength(501);
  });

  test("show gives the letters with the given numbers, and all without", async () => {
    await bury(letter("a"), letter("b"), letter("c"));
    expect(numbers(await dead.show(QUEUE, [3, 1]))).toEqual([1, 3]);
    expect(numbers(await dead.show(QUEUE))).toEqual([1, 2, 3]);
  });

  test("a number that is not there is refused, with those that are", async () => {
    await bury(letter("a"), letter("b"));
    await expect(dead.show(QUEUE, [1, 3])).rejects.toThrow(
      new NoSuchLetter("job:encoder_in has no dead letter 3: they are 1 to 2"),
    );
    await expect(dead.show("job:llm_in", [1])).rejects.toThrow(
      "job:llm_in has no dead letter 1: it has none",
    );
  });

  test("what is no dead letter is shown as the message of one", async () => {
    await server.client.lpush(DEAD, '{"job_id":"a"}');
    expect((await dead.list(QUEUE))[0]).toMatchObject({ letter: { message: '{"job_id":"a"}', at: 0 } });
  });
});

describe("retry", () => {
  test("puts all messages back in their old order, behind those that wait", async () => {
    await server.client.lpush(QUEUE, "waits");
    await bury(letter("a"), letter("b"), letter("c"));
    expect(await dead.retry(QUEUE)).toBe(3);
    expect((await messages(QUEUE)).reverse()).toEqual(["waits", "a", "b", "c"]);
    expect(await server.client.exists(DEAD)).toBe(0);
  });

  test("puts only the given ones back", async () => {
    await bury(letter("a"), letter("b"), letter("c"));
    expect(await dead.retry(QUEUE, [2])).toBe(1);
    expect(await messages(QUEUE)).toEqual(["b"]);
    expect((await dead.list(QUEUE)).map(({ letter }) => letter.message)).toEqual(["a", "c"]);
  });

  test("with a number that is not there moves none", async () => {
    await bury(letter("a"));
    await expect(dead.retry(QUEUE, [1, 2])).rejects.toThrow(NoSuchLetter);
    expect(await server.client.llen(DEAD)).toBe(1);
    expect(await server.client.exists(QUEUE)).toBe(0);
  });

  test("gives a job all its time again, from now", async () => {
    const job = encoderJob({ submitted_at: 1_000, deadline: 31_000 });
    await bury(letter(JSON.stringify(job)));
    const before = Date.now();
    await dead.retry(QUEUE);
    const retried = JSON.parse((await messages(QUEUE))[0]!);
    expect(retried).toMatchObject({ job_id: job.job_id, query: job.query });
    expect(retried.submitted_at).toBeWithin(before, Date.now() + 1);
    expect(retried.deadline - retried.submitted_at).toBe(30_000);
    expect(queues.encoderIn.message.explain(retried)).toBe("");
  });

  test("a job that dies again shows each of its deaths, oldest first", async () => {
    await bury(letter(JSON.stringify(encoderJob())));
    await dead.retry(QUEUE);
    const retried = (await server.client.rpop(QUEUE)) as string;
    await bury(
      letter(retried, { reason: "the store is gone", stage: "retriever", at: 2_000, deliveries: 0 }),
    );
    await dead.retry(QUEUE);
    expect(JSON.parse((await messages(QUEUE))[0]!).history).toEqual([
      { reason: "the model is gone", stage: "encoder", at: 1_000, deliveries: 3 },
      { reason: "the store is gone", stage: "retriever", at: 2_000, deliveries: 0 },
    ]);
  });

  test("an object without a deadline gets its history alone; what is no object goes back as it is", async () => {
    await bury(letter('{"a":1}'), letter("not JSON"), letter(" [1, 2]"));
    await dead.retry(QUEUE);
    const [array, text, object] = await messages(QUEUE);
    expect(JSON.parse(object!)).toEqual({
      a: 1,
      history: [{ reason: "the model is gone", stage: "encoder", at: 1_000, deliveries: 3 }],
    });
    expect([text, array]).toEqual(["not JSON", " [1, 2]"]);
  });

  test("by two at once puts each message back once", async () => {
    await bury(...Array.from({ length: 50 }, (_, i) => letter(`message ${i}`)));
    const other_connection = server.client.duplicate();
    const other = new DeadLetters(other_connection, redisNames());
    const [one, two] = await Promise.all([dead.retry(QUEUE), other.retry(QUEUE)]);
    expect(one + two).toBe(50);
    expect(new Set(await messages(QUEUE)).size).toBe(50);
    expect(await server.client.llen(QUEUE)).toBe(50);
    other_connection.disconnect();
  });

  test("keeps to the prefix of its line", async () => {
    await server.client.lpush(`line-a:${DEAD}`, JSON.stringify(letter("a")));
    await bury(letter("of another line"));
    expect(await new DeadLetters(server.client, redisNames("line-a:")).retry(QUEUE)).toBe(1);
    expect(await messages(`line-a:${QUEUE}`)).toEqual(["a"]);
    expect(await server.client.llen(DEAD)).toBe(1);
  });
});

describe("retry_dead.lua", () => {
  const retryDead = (raw: string, message: string): Promise<unknown> =>
    server.client.call("EVALSHA", sha, 3, DEAD, QUEUE, "completion", raw, message, "t", 0);
  let sha: string;
  beforeEach(async () => {
    const parts = ["lanes", "retry_dead"].map((name) => Bun.file(`packages/queue/lua/${name}.lua`).text());
    sha = (await server.client.script("LOAD", (await Promise.all(parts)).join("\n"))) as string;
  });

  test("moves a letter's message into the queue, once", async () => {
    await server.client.lpush(DEAD, "letter");
    expect(await retryDead("letter", "message")).toBe(1);
    expect(await retryDead("letter", "message")).toBe(0);
    expect(await messages(QUEUE)).toEqual(["message"]);
    expect(await server.client.exists(DEAD)).toBe(0);
  });

  test("makes room for a new completion", async () => {
    await server.client.lpush(DEAD, "letter");
    await server.client.set("completion", "its worker died");
    await retryDead("letter", "message");
    expect(await server.client.exists("completion")).toBe(0);
  });

  test("of two equal letters takes one", async () => {
    await server.client.lpush(DEAD, "letter", "letter");
    expect(await retryDead("letter", "message")).toBe(1);
    expect(await server.client.llen(DEAD)).toBe(1);
  });
});

describe("drop", () => {
  test("deletes the given letters, and all without numbers", async () => {
    await bury(letter("a"), letter("b"), letter("c"));
    expect(await dead.drop(QUEUE, [1, 3])).toBe(2);
    expect((await dead.list(QUEUE)).map(({ letter }) => letter.message)).toEqual(["b"]);
    expect(await dead.drop(QUEUE)).toBe(1);
    expect(await server.client.exists(DEAD)).toBe(0);
    expect(await server.client.exists(QUEUE)).toBe(0);
  });

  test("deletes what is not even text", async () => {
    await server.client.lpush(DEAD, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await dead.drop(QUEUE, [1])).toBe(1);
  });
});
