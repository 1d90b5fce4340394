/** `bun run replicas`, as a process on a real Redis. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { runCommand } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const [A, B] = ["http://a:1", "http://b:1"] as const;
let server: TestRedis;
let balancer: Balancer;
beforeAll(async () => {
  server = await startRedis();
  balancer = new Balancer(server.client, redisNames(), DEFAULT_SETTINGS, [A, B]);
});
beforeEach(async () => {
  await server.client.flushall();
  await balancer.sync();
});
afterAll(() => server.stop());

const replicas = (args: string, env: Record<string, string> = {}) =>
  runCommand("scripts/replicas.ts", args, {
    REDIS_URL: server.url,
    REDIS_PREFIX: "",
    LLM_REPLICAS: `${A},${B}`,
    ...env,
  });

test("list shows load, limit, latency, errors and breaker of each", async () => {
  const reserved = await balancer.reserve("job", Date.now() + 60_000);
  const { out, code } = await replicas("");
  expect(code).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^replica +state +load +running +limit +latency +errors +breaker$/);
  const line = lines.find((one) => one.startsWith(reserved));
  expect(line).toMatch(/active +1 +0 +32 +0 ms +0 % +closed$/);
  expect(JSON.parse((await replicas("list --json")).out)).toHaveLength(2);
});

test("add, drain and remove are seen by every balancer at once", async () => {
  expect((await replicas("add http://c:1/")).out).toBe("http://c:1: active\n");
  expect((await replicas(`drain ${A}`)).code).toBe(0);
  expect((await replicas(`remove ${B}`)).code).toBe(0);
  const states = (await balancer.view()).map(({ url, state }) => [url, state]);
  expect(states).toEqual([
    [A, "draining"],
    ["http://c:1", "active"],
  ]);
});

test("what makes no sense is one line, and exit code 2", async () => {
  expect(await replicas("stop")).toMatchObject({
    code: 2,
    err: expect.stringContaining("list, add, drain, remove"),
  });
  expect(await replicas("add a:1")).toMatchObject({ code: 2, err: expect.stringContaining("base URL") });
  expect(await replicas("drain http://x:1")).toMatchObject({
    code: 2,
    err: expect.stringContaining("no replica"),
  });
});

test("without Redis it says so, and exit code 1", async () => {
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  expect(await replicas("list", { REDIS_URL })).toMatchObject({
    code: 1,
    err: expect.stringContaining("REDIS_URL"),
  });
});
