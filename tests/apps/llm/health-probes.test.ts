/** Replicas without traffic are asked whether they are well, by one worker of all. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { HealthProbes } from "../../../apps/llm/health-probes.ts";
import { freePort } from "../../support/free-port.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test("one that is gone has its breaker opened before any question meets it; one that answers is left alone", async () => {
  const asked: string[] = [];
  const well = Bun.serve({
    port: 0,
    fetch(request) {
      asked.push(new URL(request.url).pathname);
      return new Response("{}");
    },
  });
  const gone = `http://127.0.0.1:${await freePort()}`;
  const up = `http://127.0.0.1:${well.port}`;
  const balancer = new Balancer(server.client, redisNames(), { ...DEFAULT_SETTINGS, failures: 2 }, [
    gone,
    up,
  ]);
  await balancer.sync();
  const { promise: opened, resolve } = Promise.withResolvers<string>();
  const workers = [1, 2].map(
    () =>
      new HealthProbes({
        balancer,
        path: "/api/version",
        interval_ms: 20,
        changed: (url, _before, after) => after === "open" && resolve(url),
      }),
  );
  expect(await opened).toBe(gone);
  for (const worker of workers) worker.stop();
  expect(await balancer.reserve("job", Date.now() + 60_000)).toBe(up);
  expect(new Set(asked)).toEqual(new Set(["/api/version"]));
  await well.stop(true);
});
