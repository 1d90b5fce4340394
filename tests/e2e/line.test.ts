/** Questions through the whole line: real processes, real Redis, real model, real store. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { queues } from "#contracts";
import { startLine, type TestLine } from "../support/line.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

let line: TestLine;

beforeAll(async () => {
  const articles = ["machine-learning", "recursion", "message-queues", "caching"];
  line = await startLine({ workers: 3, documents: articles.map((article) => `corpus/${article}.md`) });
});
afterAll(() => line.stop());

/** Resolves when every count is back: the answer does not wait for it. */
async function idle(): Promise<void> {
  await until(line.loads, (loads) => loads.every((load) => load === 0));
}

test("a question is answered from the right article, with its source", async () => {
  const { status, body } = await line.ask({ query: "What is machine learning?" });
  expect(status).toBe(200);
  expect(body.answer).toMatch(/machine learning is .*\[1\]/i);
  expect(body.sources[0]).toMatchObject({ title: "Machine learning", source: "corpus/machine-learning.md" });
  expect(body.sources[0]!.text).toContain("Machine learning is");
  expect(body.job_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(line.replicas.map((replica) => replica.url)).toContain(body.selected_replica);
  expect(body.worker).toMatch(/^llm_generator_[123]$/);
  expect(body.latency_ms).toBeGreaterThan(5);
  expect(Object.keys(body.timings)).toEqual(["encoder", "retriever", "llm"]);
});

test("top_k bounds the sources, which come best first", async () => {
  const { body } = await line.ask({ query: "How does a recursive function end?", top_k: 2 });
  expect(body.sources).toHaveLength(2);
  expect(body.sources[0]!.score).toBeGreaterThanOrEqual(body.sources[1]!.score);
});

test("a question that nothing is near is answered by saying so, with no sources", async () => {
  const { status, body } = await line.ask({ query: "Who won the 1966 football world cup final?" });
  expect(status).toBe(200);
  expect(body.sources).toEqual([]);
  expect(body.answer).toContain("nothing about this");
});

test("many at once are shared by all replicas and workers, and leave nothing behind", async () => {
  const replies = await Promise.all(
    Array.from({ length: 90 }, () => line.ask({ query: "What is a cache?" })),
  );
  expect(replies.every((reply) => reply.status === 200)).toBe(true);
  const used = (key: "selected_replica" | "worker") => new Set(replies.map((reply) => reply.body[key])).size;
  expect(used("selected_replica")).toBe(3);
  expect(used("worker")).toBe(3);
  await idle();
  for (const { name } of Object.values(queues)) expect(await line.redis.client.llen(name)).toBe(0);
  expect(await line.redis.client.keys("*:processing:*")).toEqual([]);
});

test("a message that a foreign program spoils is laid aside, and the line goes on", async () => {
  await line.redis.client.lpush("job:retriever_in", '{"job_id":"spoilt"}');
  const { status } = await line.ask({ query: "What is a cache?" });
  expect(status).toBe(200);
  const [letter] = await line.redis.client.lrange("job:retriever_in:dead", 0, -1);
  expect(JSON.parse(letter!)).toMatchObject({ message: '{"job_id":"spoilt"}', stage: "retriever" });
  expect(JSON.parse((await line.redis.client.get("job:completion:spoilt"))!)).toMatchObject({
    code: "invalid_message",
  });
});

test("a valid message of a foreign program is answered as any other", async () => {
  const job = {
    job_id: "foreign",
    query: "What is recursion?",
    top_k: 3,
    selected_replica: line.replicas[0]!.url,
    submitted_at: Date.now(),
    deadline: Date.now() + 30_000,
    reply_to: "somebody",
    timings: {},
  };
  const subscriber = line.redis.client.duplicate();
  await subscriber.subscribe("job:done:somebody");
  const done = new Promise((resolve) => subscriber.on("message", (_channel, id) => resolve(id)));
  await line.redis.client.lpush("job:encoder_in", JSON.stringify(job));
  expect(await done).toBe("foreign");
  const completion = JSON.parse((await line.redis.client.get("job:completion:foreign"))!);
  expect(completion).toMatchObject({ status: "ok", selected_replica: line.replicas[0]!.url });
  subscriber.disconnect();
});

test("metrics count questions, stages and queues", async () => {
  await line.ask({ query: "What is a cache?" });
  const text = await (await fetch(`${line.url}/metrics`)).text();
  expect(text).toMatch(/api_gateway_queries_total\{status="200",app="gateway"\} [1-9]/);
  expect(text).toMatch(/api_gateway_query_latency_seconds_count\{app="gateway"\} [1-9]/);
  expect(text).toContain('api_gateway_active_jobs{app="gateway"} 0');
  for (const { url } of line.replicas)
    expect(text).toContain(`api_gateway_replica_load{replica="${url}",app="gateway"}`);
  for (const { name } of Object.values(queues))
    expect(text).toContain(`ragline_queue_depth{queue="${name}",app="gateway"} 0`);

  const { port } = JSON.parse(await line.processes.get("encoder")!.line("health server"));
  const stage = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(stage).toMatch(/ragline_stage_jobs_total\{stage="encoder",outcome="ok",app="encoder"\} [1-9]/);
  expect(stage).toMatch(/ragline_stage_worked_seconds_count\{app="encoder",stage="encoder"\} [1-9]/);
  expect(stage).toContain('ragline_stage_errors_total{stage="encoder",app="encoder"} 0');
});

test("every process says whether it is ready, dependency by dependency", async () => {
  const ready = async (url: string) => (await fetch(`${url}/ready`)).json();
  expect(await ready(line.url)).toMatchObject({ status: "ready", dependencies: { redis: { ok: true } } });
  const { port } = JSON.parse(await line.processes.get("retriever")!.line("health server"));
  expect(await ready(`http://127.0.0.1:${port}`)).toMatchObject({
    status: "ready",
    dependencies: { redis: { ok: true }, store: { ok: true } },
  });
});
