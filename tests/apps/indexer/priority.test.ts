import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { constants, getPriority } from "node:os";
import { startProcess } from "../../support/process.ts";
import { startRedis } from "../../support/redis.ts";

setDefaultTimeout(60_000);

const redis = await startRedis();
const indexer = startProcess("apps/indexer/main.ts", { REDIS_URL: redis.url });
afterAll(async () => {
  await indexer.stop();
  await redis.stop();
});

test("questions come first: the indexer gives way to what runs beside it", async () => {
  await indexer.line("taking messages");
  // Of its main thread, which those of the model take over: they are started by it, later.
  expect(getPriority(indexer.child.pid)).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
});
