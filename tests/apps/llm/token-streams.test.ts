/** An answer's tokens as they lie in Redis. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { redisNames, TOKENS_TTL_SECONDS, type TokenEntry } from "#contracts";
import { TokenStreams } from "../../../apps/llm/token-streams.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let redis: TestRedis;
let streams: TokenStreams;
const troubles: Error[] = [];

beforeAll(async () => {
  redis = await startRedis();
  streams = new TokenStreams(redis.client, redisNames(), (error) => troubles.push(error));
});
afterAll(() => redis.stop());

async function entries(job_id: string): Promise<TokenEntry[]> {
  const found = await redis.client.xrange(`job:tokens:${job_id}`, "-", "+");
  return found.map(([, [, text]]) => JSON.parse(text!));
}

test("tokens that come together are one entry, and all is there once it is written", async () => {
  const stream = streams.open("together", "gateway-test");
  stream.sources([]);
  const run = stream.run();
  for (const token of ["A", " line", " of", " people"]) run(token);
  await stream.written();
  const [sources, begin, token, ...more] = await entries("together");
  expect(sources).toEqual({ sources: [] });
  const id = (begin as { begin: string }).begin;
  expect(token).toEqual({ run: id, at: 0, text: "A line of people" });
  expect(more).toEqual([]);
});

test("what comes later says where in the text it belongs", async () => {
  const stream = streams.open("later", "gateway-test");
  const run = stream.run();
  run("A line");
  await stream.written();
  run(" of people");
  await stream.written();
  expect((await entries("later")).at(-1)).toMatchObject({ at: 6, text: " of people" });
});

test("each attempt is a run of its own, from its first token on", async () => {
  const stream = streams.open("attempts", "gateway-test");
  const [first, second] = [stream.run(), stream.run()];
  first("A qu");
  second("A line");
  stream.run();
  await stream.written();
  const read = await entries("attempts");
  expect(read.map((entry) => Object.keys(entry)[0])).toEqual(["begin", "run", "begin", "run"]);
  const begun = read.flatMap((entry) => ("begin" in entry ? [entry.begin] : []));
  expect(new Set(begun).size).toBe(2);
  expect(read.at(-1)).toEqual({ run: begun[1]!, at: 0, text: "A line" });
});

test("a stream lives for a minute after its last token", async () => {
  const stream = streams.open("kept", "gateway-test");
  stream.run()("A line");
  await stream.written();
  await redis.client.expire("job:tokens:kept", 5);
  stream.run()("A line");
  await stream.written();
  expect(await redis.client.ttl("job:tokens:kept")).toBe(TOKENS_TTL_SECONDS);
});

test("each gateway is told once which of its jobs' have grown, after they have", async () => {
  streams.open("one", "g").run()("A");
  streams.open("two", "g").run()("A");
  const three = streams.open("three", "h");
  three.run()("A");
  await three.written();
  const named = async (gateway: string) => {
    const wakes = await redis.client.xrange(`job:tokens_wake:${gateway}`, "-", "+");
    return wakes.map(([, [, jobs]]) => JSON.parse(jobs!));
  };
  expect(await named("g")).toEqual([["one", "two"]]);
  expect(await named("h")).toEqual([["three"]]);
  expect(await entries("two")).toHaveLength(2);
});

test("what Redis refuses is reported, and the answer does not wait for it", async () => {
  await redis.client.set("job:tokens:refused", "no stream");
  const stream = streams.open("refused", "gateway-test");
  stream.run()("A line");
  await stream.written();
  expect(String(troubles.pop())).toContain("WRONGTYPE");
});
