/** Under /v1 every error is one that OpenAI's client knows: those too that come before there is a route. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { ChatError, contract } from "#contracts";
import { carriers, type KeyedGateways, startKeyedGateways } from "../../../support/keyed.ts";
import { rawRequest } from "../../../support/raw-http.ts";

setDefaultTimeout(30_000);

const errors = contract(ChatError);
const UNKNOWN = `rk_${"A".repeat(43)}`;

let gateways: KeyedGateways;
let url: string;
let secret: string;
let routes: [method: string, path: string][];

beforeAll(async () => {
  gateways = await startKeyedGateways(1, { BODY_TIMEOUT_MS: "300" });
  url = gateways.urls[0]!;
  secret = await gateways.key();
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  routes = Object.entries<object>(paths)
    .filter(([path]) => path.startsWith("/v1/"))
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method): [string, string] => [
        method.toUpperCase(),
        path.replace(/\{\w+\}/, "none"),
      ]),
    );
  expect(routes.length).toBeGreaterThanOrEqual(4);
});
afterAll(() => gateways.stop());

/** The error of an answer, which must be one. */
async function errorOf(response: Response, status: number) {
  expect([response.url, response.status]).toEqual([response.url, status]);
  const body = await response.json();
  expect(errors.explain(body)).toBe("");
  return body.error as ChatError["error"];
}

const call = (method: string, path: string, headers: Record<string, string>, body = "{}") =>
  fetch(`${url}${path}`, { method, headers, body: method === "POST" ? body : undefined });

describe.each(carriers)("with a key in %s", (_, carry) => {
  test("401 and 429 are told on every route", async () => {
    const spent = await gateways.key({ requests_per_minute: 1 });
    await call("GET", "/v1/models", carry(spent));
    for (const [method, path] of [...routes, ["GET", "/v1/nothing"] as const]) {
      const unknown = await call(method, path, carry(UNKNOWN));
      expect(unknown.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(await errorOf(unknown, 401)).toMatchObject({
        type: "authentication_error",
        code: "unauthorised",
      });
      const limited = await call(method, path, carry(spent));
      expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(limited.headers.get("ratelimit-limit")).toBe("1");
      expect(await errorOf(limited, 429)).toMatchObject({ type: "rate_limit_error", code: "rate_limited" });
    }
  });

  test("so are bodies that are too large, too slow, no JSON, of another type, or do not fit", async () => {
    for (const [, path] of routes.filter(([method]) => method === "POST")) {
      const json = { ...carry(secret), "content-type": "application/json" };
      await errorOf(await call("POST", path, json, "x".repeat(300 * 1024)), 413);
      await errorOf(await call("POST", path, json, "{"), 400);
      await errorOf(await call("POST", path, json, "{}"), 400);
      await errorOf(await call("POST", path, { ...json, "content-type": "text/plain" }), 415);
      const head = Object.entries(json).map(([name, value]) => `${name}: ${value}\r\n`);
      const slow = await rawRequest(
        url,
        `POST ${path} HTTP/1.1\r\nhost: gateway\r\n${head.join("")}content-length: 10\r\n\r\n`,
      );
      expect([path, slow.status, errors.explain(JSON.parse(slow.body))]).toEqual([path, 408, ""]);
    }
  });
});

test("a route that there is not, and a Host that is none, are told so too", async () => {
  expect(await errorOf(await call("GET", "/v1/nothing", { "x-api-key": secret }), 404)).toMatchObject({
    code: "not_found",
  });
  const crafted = await rawRequest(url, "GET /v1/models HTTP/1.1\r\nhost: a@b\r\n\r\n");
  expect([crafted.status, JSON.parse(crafted.body).error.code]).toEqual([400, "invalid_host"]);
});

test("OpenAI's client makes its own errors of them", async () => {
  const asked = (apiKey: string) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }).models.list().then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(await asked(UNKNOWN)).toBeInstanceOf(OpenAI.AuthenticationError);
  expect(await asked(await gateways.key({ tokens_per_day: 0 }))).toBeInstanceOf(OpenAI.RateLimitError);
});

test("while Redis is away, 503 is told so too", async () => {
  await gateways.redis.kill();
  expect(await errorOf(await call("GET", "/v1/models", { "x-api-key": secret }), 503)).toMatchObject({
    type: "server_error",
    code: "redis_unavailable",
  });
});
