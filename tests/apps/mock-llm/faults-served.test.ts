/** Faults, slots and an orderly end, as a client of the process sees them. */
import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../support/free-port.ts";
import { type MockReplica, startMockReplica } from "../../support/mock-replica.ts";
import { startProcess } from "../../support/process.ts";
import { until } from "../../support/until.ts";
import { promptFor } from "./prompt.ts";

const prompt = promptFor("What is machine learning?");

let running: MockReplica[] = [];
afterEach(async () => {
  await Promise.all(running.map((mock) => mock.stop()));
  running = [];
});

async function start(env: Record<string, string> = {}): Promise<MockReplica> {
  const mock = await startMockReplica(env);
  running.push(mock);
  return mock;
}

function generate(mock: MockReplica, init: RequestInit = {}, body: object = {}): Promise<Response> {
  return fetch(`${mock.url}/api/generate`, {
    method: "POST",
    body: JSON.stringify({ model: "mock", prompt, stream: false, ...body }),
    ...init,
  });
}

/** The statuses of so many requests, one after the other. */
async function statuses(mock: MockReplica, n: number): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < n; i++) {
    const response = await generate(mock);
    await response.text();
    seen.push(response.status);
  }
  return seen;
}

describe("failures", () => {
  test("come at their rate, and again for the same seed", async () => {
    const env = { MOCK_FAILURE_RATE: "0.3", MOCK_SEED: "7" };
    const [one, same, other] = await Promise.all([start(env), start(env), start({ ...env, MOCK_SEED: "8" })]);
    const first = await statuses(one, 100);
    expect(first.filter((status) => status === 500).length).toBeWithin(15, 46);
    expect(await statuses(same, 100)).toEqual(first);
    expect(await statuses(other, 100)).not.toEqual(first);
    const failed = first.filter((status) => status === 500).length;
    expect(await one.stats()).toEqual({ in_flight: 0, waiting: 0, aborted: 0, served: 100 - failed, failed });
  });

  test("say so in the wire format's own form", async () => {
    const mock = await start({ MOCK_FAILURE_RATE: "1" });
    expect(await (await generate(mock)).json()).toEqual({
      error: expect.stringContaining("MOCK_FAILURE_RATE"),
    });
  });

  test("may be rubbish with status 200", async () => {
    const mock = await start({ MOCK_GARBAGE_RATE: "1" });
    const response = await generate(mock);
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow();
  });

  test("may be half an answer and a closed connection", async () => {
    const mock = await start({ MOCK_CUT_RATE: "1", MOCK_TOKENS_PER_SECOND: "100" });
    const response = await generate(mock, {}, { stream: true });
    let got = "";
    const read = async () => {
      const decoder = new TextDecoder();
      for await (const part of response.body!) got += decoder.decode(part, { stream: true });
    };
    await expect(read()).rejects.toThrow();
    const lines = got
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { done: boolean });
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.some((line) => line.done)).toBe(false);
    expect(await mock.stats()).toMatchObject({ failed: 1, in_flight: 0 });
  });
});

describe("a client that disconnects", () => {
  test.each([
    ["while it hangs", { MOCK_HANG_RATE: "1" }],
    ["before the first token", { MOCK_DELAY_MS: "60000" }],
    ["between two tokens", { MOCK_TOKENS_PER_SECOND: "0.01" }],
  ])("frees its slot at once: %s", async (_, env) => {
    const mock = await start({ ...env, MOCK_CONCURRENCY: "1" });
    const client = new AbortController();
    const call = generate(mock, { signal: client.signal }, { stream: true }).then((response) =>
      response.text(),
    );
    await mock.until((stats) => stats.in_flight === 1);
    client.abort(new Error("bye"));
    await expect(call).rejects.toThrow("bye");
    const stats = await mock.until((stats) => stats.in_flight === 0);
    expect(stats).toEqual({ in_flight: 0, waiting: 0, served: 0, aborted: 1, failed: 0 });
  });

  test("frees its place in the queue", async () => {
    const mock = await start({ MOCK_HANG_RATE: "1", MOCK_CONCURRENCY: "1" });
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [first, second].map((client) => generate(mock, { signal: client.signal }).catch(() => {}));
    await mock.until((stats) => stats.in_flight === 1 && stats.waiting === 1);
    second.abort();
    await mock.until((stats) => stats.waiting === 0 && stats.aborted === 1);
    first.abort();
    await mock.until((stats) => stats.in_flight === 0 && stats.aborted === 2);
    await Promise.all(calls);
  });
});

test("so many are served at once as it is told, the others wait and are served", async () => {
  const mock = await start({ MOCK_CONCURRENCY: "3", MOCK_DELAY_MS: "100" });
  const started = performance.now();
  const calls = Array.from({ length: 9 }, () => generate(mock));
  await mock.until((stats) => stats.in_flight === 3 && stats.waiting === 6);
  for (const response of await Promise.all(calls)) expect(response.status).toBe(200);
  expect(performance.now() - started).toBeGreaterThanOrEqual(295);
  expect(await mock.stats()).toMatchObject({ served: 9, in_flight: 0, waiting: 0 });
});

test("tokens come at the rate it is told, however it is asked", async () => {
  const mock = await start({ MOCK_TOKENS_PER_SECOND: "100" });
  for (const stream of [true, false]) {
    const started = performance.now();
    const text = await (await generate(mock, {}, { stream })).text();
    const { eval_count } = JSON.parse(text.trim().split("\n").at(-1)!) as { eval_count: number };
    expect(performance.now() - started).toBeGreaterThanOrEqual((eval_count - 1) * 10 - 5);
  }
});

describe("the process", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("ends at once on %s, whatever is in flight", async (signal) => {
    const mock = startProcess("apps/mock-llm/main.ts", { MOCK_PORT: "0", MOCK_HANG_RATE: "1" });
    const { url } = JSON.parse(await mock.line('"msg":"listening"')) as { url: string };
    const call = fetch(`${url}/api/generate`, { method: "POST", body: JSON.stringify({ model: "m" }) });
    call.catch(() => {});
    const stats = async () => (await fetch(`${url}/stats`)).text();
    await until(stats, (text) => text.includes('"in_flight":1'));
    mock.child.kill(signal);
    expect(await mock.child.exited).toBe(0);
    await expect(call).rejects.toThrow();
  });

  test.each([
    ["MOCK_FAILURE_RATE", "2"],
    ["MOCK_CONCURRENCY", "0"],
    ["MOCK_PORT", "http"],
  ])("ends with exit code 2 and one line for %s=%s", async (name, value) => {
    const mock = startProcess("apps/mock-llm/main.ts", { [name]: value });
    expect(await mock.child.exited).toBe(2);
    expect(mock.stderr()).toStartWith(`${name} is "${value}": `);
    expect(mock.stderr()).not.toContain("\n");
  });

  test("ends with one line that says what to do where its port is taken", async () => {
    const taken = await start({ MOCK_PORT: String(freePort()) });
    const { port } = new URL(taken.url);
    const mock = startProcess("apps/mock-llm/main.ts", { MOCK_PORT: port });
    expect(await mock.child.exited).toBe(1);
    expect(mock.stderr()).toContain(`cannot listen on 127.0.0.1:${port}`);
    expect(mock.stderr()).not.toContain("\n");
  });
});
