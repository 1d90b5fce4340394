import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { Redis } from "ioredis";
import { rewriteAfterRestart } from "#runtime";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const HAND_ON = "redis.call('LREM', 'held', -1, 'm'); redis.call('LPUSH', 'next', 'm')";

let directory: string;
let redis: TestRedis;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "ragline-restarts-"));
  redis = await startRedis({ dir: directory, appendonly: "yes", appendfsync: "always" });
});

afterEach(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** As if Redis had been killed while it wrote: the script's effects are in the file, but for their end. */
async function tear(): Promise<void> {
  await redis.client.lpush("held", "m");
  await redis.kill();
  const torn = [["MULTI"], ["LREM", "held", "-1", "m"], ["LPUSH", "next", "m"], ["EXEC"]];
  const [file] = new Glob("**/*.aof").scanSync({ cwd: directory, absolute: true });
  appendFileSync(file!, torn.map(protocol).join("").slice(0, -4));
  await redis.restart();
}

async function rewritten(): Promise<void> {
  const done = ["aof_rewrites:1\r\n", "aof_rewrite_in_progress:0\r\n"];
  await until(
    () => redis.client.info("persistence"),
    (info) => done.every((line) => info.includes(line)),
  );
}

/** A command as it lies in the file. */
function protocol(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

test("what a killed Redis had half written is not done a second time when it is killed again", async () => {
  await tear();
  const watched = new Redis(redis.url);
  watched.on("error", () => {}); // the server is killed below
  rewriteAfterRestart(watched);
  await rewritten();
  watched.disconnect();

  await redis.client.eval(HAND_ON, 0);
  await redis.kill();
  await redis.restart();
  expect(await redis.client.lrange("next", 0, -1)).toEqual(["m"]);
});

test("a file that was rewritten since Redis started is let be", async () => {
  const first = new Redis(redis.url);
  rewriteAfterRestart(first);
  await rewritten();
  const second = new Redis(redis.url);
  rewriteAfterRestart(second);
  await second.info(); // as it asks itself, before
  await second.ping(); // what it asked for next has been done
  expect(await redis.client.info("persistence")).toContain("aof_rewrites:1\r\n");
  first.disconnect();
  second.disconnect();
});
