/** The queue's bench keeps running: each contender carries jobs through its three hops. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type ContenderName, contenders } from "../../bench/queue/contenders/index.ts";
import { BenchLine } from "../../bench/queue/line.ts";
import { SIZES } from "../../bench/queue/workload.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

setDefaultTimeout(60_000);

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

for (const name of Object.keys(contenders) as ContenderName[]) {
  test(`${name} carries 50 jobs through, and its costs are counted`, async () => {
    const line = await BenchLine.start(redis, name, SIZES[1]!);
    const { jobs_per_s, cpu_ms_per_job } = await line.saturate(50);
    expect(jobs_per_s).toBeGreaterThan(0);
    expect(cpu_ms_per_job).toBeGreaterThan(0);
    const { p50_ms, p99_ms } = await line.idle(5);
    expect(p50_ms).toBeGreaterThan(0);
    expect(p99_ms).toBeGreaterThanOrEqual(p50_ms);
    await line.stop();
  });
}
