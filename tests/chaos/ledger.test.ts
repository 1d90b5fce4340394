import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { readLedger } from "./ledger.ts";

const directory = mkdtempSync(join(tmpdir(), "ragline-ledger-"));
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis({ dir: directory, appendonly: "yes", appendfsync: "always" });
});

afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

test("every completion counts, by command or by script, before a crash of Redis and after it", async () => {
  const large = "ü".repeat(100_000); // over several reads of the file, and longer in bytes than in characters
  await redis.client.set("job:completion:once", large, "EX", 60);
  await redis.client.eval(
    "redis.call('SET', KEYS[1], ARGV[1], 'EX', 60); redis.call('HINCRBY', KEYS[2], 'digest', 1)",
    2,
    "job:completion:twice",
    "job:encoder_in:deliveries",
    large,
  );
  await redis.kill();
  await redis.restart();
  await redis.client.set("job:completion:twice", "again", "EX", 60);
  await redis.client.set("something:else", "passed over");

  const { completions, charged } = await readLedger(directory);
  expect([...completions]).toEqual([
    ["once", 1],
    ["twice", 2],
  ]);
  expect(charged).toBe(1);
});
