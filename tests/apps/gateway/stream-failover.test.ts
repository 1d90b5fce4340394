/** Answers as they come, where what makes them fails midway. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { AnswerEvent, QueryAnswer } from "#contracts";
import { askAlong, textOf } from "../../support/event-stream.ts";
import { startLine, type TestLine } from "../../support/line.ts";
import type { TestProcess } from "../../support/process.ts";

setDefaultTimeout(60_000);

const QUESTION = "What is machine learning?";
const SLOW = { MOCK_DELAY_MS: "5", MOCK_TOKENS_PER_SECOND: "100" };

let line: TestLine;

beforeAll(async () => {
  line = await startLine({
    documents: ["corpus/machine-learning.md"],
    replicas: [{ ...SLOW, MOCK_CUT_RATE: "1" }, SLOW],
    workers: 2,
    env: { LEASE_MS: "500" },
  });
});
afterAll(() => line.stop());

test("an answer that a replica breaks off is begun anew by another, and is whole", async () => {
  let begun_anew = false;
  while (!begun_anew) {
    const events = await (await askAlong(line.url, QUESTION)).all();
    const { event, data } = events.at(-1)!;
    expect(event).toBe("done");
    expect(textOf(events)).toBe((data as QueryAnswer).answer);
    begun_anew = events.some(({ event }) => event === "reset");
  }
});

test("an answer whose worker is killed is begun anew by another, and is whole", async () => {
  const stream = await askAlong(line.url, QUESTION);
  const events: AnswerEvent[] = [];
  let killed = false;
  for await (const event of stream.events) {
    events.push(event);
    if (event.event !== "token" || killed) continue;
    (await workerAtWork()).child.kill("SIGKILL");
    killed = true;
  }
  const { event, data } = events.at(-1)!;
  expect(event).toBe("done");
  expect(events.some(({ event }) => event === "reset")).toBe(true);
  expect(textOf(events)).toBe((data as QueryAnswer).answer);
});

async function workerAtWork(): Promise<TestProcess> {
  for (const [name, process] of line.processes) {
    if (!name.startsWith("llm_generator")) continue;
    const { consumer } = JSON.parse(await process.line("taking messages"));
    if (await line.redis.client.exists(`job:llm_in:processing:${consumer}`)) return process;
  }
  throw new Error("no worker has the job");
}
