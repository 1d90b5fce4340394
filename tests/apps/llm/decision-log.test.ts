/** The decision log: what was chosen, from what, and what came of it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { DecisionLog } from "../../../apps/llm/decision-log.ts";
import { replayOf } from "../../../simulate/replay.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let server: TestRedis;
let folder: string;
beforeAll(async () => {
  server = await startRedis();
  folder = await mkdtemp(join(tmpdir(), "decisions-"));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

test("a line tells the replica, what else there was, and how the call ended; the simulator reads it", async () => {
  const urls = ["http://a", "http://b"];
  const settings = { ...DEFAULT_SETTINGS, policy: "peak-ewma", explain: true } as const;
  const balancer = new Balancer(server.client, redisNames(), settings, urls);
  const path = join(folder, "decisions.jsonl");
  const log = new DecisionLog(path, settings.policy, (error) => {
    throw error;
  });
  const deadline = Date.now() + 60_000;
  for (const job_id of ["1", "2", "3"]) {
    const reserved = await balancer.reserve(job_id, deadline);
    const request = { job_id, deadline, reserved, kind: "first", waited_ms: 0, failed: [] } as const;
    const dispatched = await balancer.dispatch(request);
    if (dispatched.kind !== "go") throw new Error(dispatched.kind);
    log.add(dispatched.call, { outcome: "ok", latency_ms: 12.4 });
  }
  log.flush();
  const text = await readFile(path, "utf8");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatchObject({ policy: "peak-ewma", in_flight: 1, outcome: "ok", latency_ms: 12 });
  expect(lines[2].candidates.map(({ replica }: { replica: string }) => replica)).toEqual(urls);
  expect(replayOf(text).urls).toEqual(urls);
});

test("a file that cannot be written is told of, and nothing else stops", () => {
  let told: unknown;
  const log = new DecisionLog(join(folder, "no", "such", "folder"), "p2c", (error) => {
    told = error;
  });
  log.add(
    { job_id: "1", id: "1", url: "http://a", probe: false, moved: false },
    { outcome: "failed", latency_ms: 1 },
  );
  log.flush();
  expect(told).toBeInstanceOf(Error);
});
