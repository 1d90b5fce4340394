/** The example of a typed client, as it is run; that its types hold is for the compiler, with all other sources. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { EncoderIn } from "#contracts";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let redis: TestRedis;
let gateway: TestProcess;

beforeAll(async () => {
  redis = await startRedis();
  gateway = startProcess("apps/gateway/main.ts", { REDIS_URL: redis.url, PORT: "0", DRAIN_SECONDS: "0" });
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
});

/** Answers the next job on the line, which is played by hand. */
async function answerNext(): Promise<void> {
  let message: string | null = null;
  while (!message) message = await redis.client.rpop("job:encoder_in");
  const { job_id, query, reply_to, selected_replica } = JSON.parse(message) as EncoderIn;
  const source = { id: "d#0", title: "Title", source: "d.md", score: 0.5, text: "A passage." };
  const answered = { status: "ok", sources: [source], selected_replica, worker: "w", timings: {} };
  const completion = { job_id, ...answered, answer: `${query} It is.` };
  await redis.client.set(`job:completion:${job_id}`, JSON.stringify(completion), "EX", 60);
  await redis.client.publish(`job:done:${reply_to}`, job_id);
}

test("the example asks, follows a job, and is refused, with types", async () => {
  const { url } = JSON.parse(await gateway.line('"msg":"listening"'));
  const example = startProcess("docs/examples/typed-client.ts", {}, [url]);
  await answerNext();
  await answerNext();
  await example.child.exited;
  expect(example.stderr()).toBe("");
  expect(example.stdout().split("\n")).toEqual([
    "What is machine learning? It is.",
    "  Title, 0.50",
    "the job is done: What is a queue? It is.",
    "refused: not_found",
    "wrong: 400",
  ]);
});
