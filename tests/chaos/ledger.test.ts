import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { readLedger } from "./ledger.ts";

let directory: string;
let redis: TestRedis;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ragline-ledger-"));
  redis = await startRedis({ dir: directory, appendonly: "yes", appendfsync: "always" });
});

afterEach(async () => {
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

test("jobs are accepted by their ids, with the markers of their questions", async () => {
  await redis.client.lpush(
    "job:encoder_in",
    JSON.stringify({ job_id: "a", query: "What does marker-7 mean?" }),
  );
  await redis.client.lpush("job:retriever_in", JSON.stringify({ job_id: "a", query: "marker-7" }));
  const { accepted } = await readLedger(directory);
  expect(accepted).toEqual([{ job_id: "a", marker: "marker-7" }]);
});

test("a transaction that Redis could not write to its end before it was killed does not count", async () => {
  const complete = (job_id: string) =>
    redis.client.eval(
      "redis.call('LREM', KEYS[1], -1, ARGV[1]); redis.call('SET', KEYS[2], ARGV[2], 'EX', 60)",
      2,
      "held",
      `job:completion:${job_id}`,
      job_id,
      "answer",
    );
  await redis.client.lpush("held", "a", "b");
  await redis.kill();
  const [file] = new Glob("**/*.aof").scanSync({ cwd: directory, absolute: true });
  const torn = [
    ["MULTI"],
    ["LREM", "held", "-1", "a"],
    ["SET", "job:completion:a", "answer"],
    ["LREM", "held"],
  ];
  appendFileSync(file!, torn.map(protocol).join("").slice(0, -3));
  await redis.restart();
  expect(await redis.client.lrange("held", 0, -1)).toEqual(["b", "a"]);

  await complete("a");
  await complete("b");
  const { completions } = await readLedger(directory);
  expect([...completions]).toEqual([
    ["a", 1],
    ["b", 1],
  ]);
});

/** A command as it lies in the file. */
function protocol(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
