/** What the gateway refuses: each with a clear error, and nothing queued. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

let redis: TestRedis;
let gateway: TestProcess;
let url: string;

beforeAll(async () => {
  redis = await startRedis();
  gateway = startProcess("apps/gateway/main.ts", { REDIS_URL: redis.url, PORT: "0" });
  url = JSON.parse(await gateway.line('"msg":"listening"')).url;
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
});

const json = { "content-type": "application/json" };
const q = (more: object) => JSON.stringify({ query: "What is a queue?", ...more });

const refused: [what: string, status: number, code: string, body: string, type: string][] = [
  ["not JSON", 400, "invalid_json", "what is this?", "application/json"],
  ["an empty body", 400, "invalid_json", "", "application/json"],
  ["JSON that is no object", 400, "invalid_request", "[]", "application/json"],
  ["null", 400, "invalid_request", "null", "application/json"],
  ["no query", 400, "invalid_request", "{}", "application/json"],
  ["a query that is no string", 400, "invalid_request", q({ query: 42 }), "application/json"],
  ["an empty query", 400, "invalid_request", q({ query: "" }), "application/json"],
  ["a blank query", 400, "invalid_request", q({ query: " \n\t " }), "application/json"],
  [
    "a query over 8,192 characters",
    400,
    "invalid_request",
    q({ query: "x".repeat(8_193) }),
    "application/json",
  ],
  ["top_k 0", 400, "invalid_request", q({ top_k: 0 }), "application/json"],
  ["top_k 51", 400, "invalid_request", q({ top_k: 51 }), "application/json"],
  ["top_k 2.5", 400, "invalid_request", q({ top_k: 2.5 }), "application/json"],
  ["top_k as a string", 400, "invalid_request", q({ top_k: "5" }), "application/json"],
  ["an unknown field", 400, "invalid_request", q({ topk: 5 }), "application/json"],
  [
    "a field that names a replica",
    400,
    "invalid_request",
    q({ selected_replica: "http://evil" }),
    "application/json",
  ],
  [
    "a field that every object has",
    400,
    "invalid_request",
    q({ query: { toString: 1 } }),
    "application/json",
  ],
  [
    "a field that no object may set",
    400,
    "invalid_request",
    '{"__proto__":{"query":"x"}}',
    "application/json",
  ],
  ["a body over 256 KiB", 413, "body_too_large", q({ query: "x".repeat(256 * 1024) }), "application/json"],
  ["another content type", 415, "unsupported_media_type", q({}), "text/plain"],
];

/** What the gateway writes at its start. */
const CONFIGURED = /^llm:(replica:.*|replicas|configured)$/;

test.each(refused)(
  "%s is refused with a clear error, and nothing is queued",
  async (_, status, code, body, type) => {
    const response = await fetch(`${url}/query`, { method: "POST", headers: { "content-type": type }, body });
    expect(response.status).toBe(status);
    const told = await response.json();
    expect(told).toEqual({ error: { code, message: expect.any(String) } });
    expect(told.error.message.length).toBeGreaterThan(10);
    const keys = await redis.client.keys("*");
    expect(keys.filter((key) => !CONFIGURED.test(key))).toEqual([]);
  },
);

test("the error of a field names the field", async () => {
  const response = await fetch(`${url}/query`, { method: "POST", headers: json, body: q({ top_k: 51 }) });
  expect((await response.json()).error.message).toStartWith("top_k: ");
});

test("a body over 256 KiB that does not tell its length is refused as well", async () => {
  const part = new TextEncoder().encode(" ".repeat(64 * 1024));
  let parts = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (parts++ < 8) controller.enqueue(part);
      else controller.close();
    },
  });
  const response = await fetch(`${url}/query`, { method: "POST", headers: json, body });
  expect(response.status).toBe(413);
});

test("a route that does not exist is 404 in the same shape", async () => {
  const response = await fetch(`${url}/nothing`);
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ error: { code: "not_found", message: expect.any(String) } });
});
