/** Whether the replicas' load counters are 0, from a real Redis and from a gateway's metrics. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { redisNames } from "#contracts";
import { checkLoads } from "../bench/loadtest/load-counters.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";

setDefaultTimeout(60_000);

const NOW = 0;
let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

function inRedis(prefix: string) {
  return { url: "http://unused", redis: { url: redis.url, prefix } };
}

test("in Redis every counter of its prefix must be 0, below it too", async () => {
  const names = redisNames("a:");
  await redis.client.mset(
    names.load("http://r1"),
    0,
    names.load("http://r2"),
    2,
    names.load("http://r3"),
    -1,
  );
  await redis.client.set(redisNames("b:").load("http://r1"), 7);
  expect(await checkLoads(inRedis("a:"), NOW)).toEqual({
    kind: "leaked",
    loads: { "http://r2": 2, "http://r3": -1 },
  });
  expect(await checkLoads(inRedis("c:"), NOW)).toEqual({ kind: "idle", replicas: 0 });
});

test("a counter that comes back to 0 a moment later has not leaked", async () => {
  const key = redisNames("d:").load("http://r1");
  await redis.client.set(key, 1);
  const checking = checkLoads(inRedis("d:"), 30_000);
  await redis.client.set(key, 0);
  expect(await checking).toEqual({ kind: "idle", replicas: 1 });
});

test("a Redis that is not there is not an idle one", async () => {
  const nowhere = { url: "http://unused", redis: { url: "redis://127.0.0.1:1", prefix: "" } };
  expect(await checkLoads(nowhere, NOW)).toMatchObject({ kind: "unknown" });
});

test("in metrics the same, and none at all is unknown", async () => {
  let text =
    'api_gateway_replica_load{replica="http://r1"} 0\napi_gateway_replica_load{replica="http://r2"} 3\n';
  await using server = Bun.serve({ port: 0, fetch: () => new Response(text) });
  const url = `http://localhost:${server.port}`;
  expect(await checkLoads({ url }, NOW)).toEqual({ kind: "leaked", loads: { "http://r2": 3 } });
  text = text.replace("} 3", "} 0");
  expect(await checkLoads({ url }, NOW)).toEqual({ kind: "idle", replicas: 2 });
  text = 'ragline_replica_running{replica="http://r1"} 0\n';
  expect(await checkLoads({ url }, NOW)).toMatchObject({ kind: "unknown" });
});
