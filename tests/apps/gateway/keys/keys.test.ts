/** Who comes in with a key, and how much of it: over two gateways and both ways to carry it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { carriers, type KeyedGateways, startKeyedGateways } from "../../../support/keyed.ts";
import { startProcess } from "../../../support/process.ts";

setDefaultTimeout(30_000);

let gateways: KeyedGateways;
let url: string;
let other_url: string;

beforeAll(async () => {
  gateways = await startKeyedGateways(2);
  [url, other_url] = gateways.urls as [string, string];
});
afterAll(() => gateways.stop());

const UNKNOWN = `rk_${"A".repeat(43)}`;

describe("a request without a key that is known", () => {
  const routes: [string, string][] = [
    ["POST", "/query"],
    ["POST", "/documents"],
    ["GET", "/documents"],
    ["GET", "/documents/x"],
    ["DELETE", "/documents/x"],
    ["GET", "/documents/x/passages"],
    ["DELETE", "/jobs/x"],
    ["GET", "/metrics"],
    ["GET", "/swagger/plugin"],
    ["POST", "/keys"],
    ["GET", "/nothing"],
  ];
  const headers: [string, Record<string, string>][] = [
    ["none", {}],
    ["one that nobody made", { authorization: `Bearer ${UNKNOWN}` }],
    ["one that nobody made", { "x-api-key": UNKNOWN }],
    ["an empty one", { authorization: "Bearer " }],
    ["another scheme", { authorization: `Basic ${btoa(`rk:${UNKNOWN}`)}` }],
    ["a glob", { "x-api-key": "rk_*" }],
  ];
  test.each(routes)("%s %s is 401, and says how to ask", async (method, path) => {
    for (const [, header] of headers) {
      const response = await fetch(`${url}${path}`, { method, headers: header });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toStartWith("Bearer");
      expect(await response.json()).toEqual({
        error: { code: "unauthorised", message: expect.any(String) },
      });
    }
  });

  test("with two keys that differ is 401, though one of them is known", async () => {
    const secret = await gateways.key();
    const both = { authorization: `Bearer ${secret}`, "x-api-key": UNKNOWN };
    expect((await fetch(`${url}/documents`, { headers: both })).status).toBe(401);
  });

  test.each(["/health", "/ready", "/openapi.json", "/swagger", "/swagger/swagger-ui.css"])(
    "sees %s, which tells of no tenant",
    async (path) => {
      expect((await fetch(`${url}${path}`)).status).toBe(200);
    },
  );
});

test.each(carriers)("a key in %s lets in, and says what is left of it", async (_, carry) => {
  const secret = await gateways.key({ requests_per_minute: 60 });
  const response = await fetch(`${url}/documents`, { headers: carry(secret) });
  expect(response.status).toBe(200);
  expect(response.headers.get("ratelimit-policy")).toBe("60;w=60");
  expect(response.headers.get("ratelimit-limit")).toBe("60");
  expect(response.headers.get("ratelimit-remaining")).toBe("59");
  expect(Number(response.headers.get("ratelimit-reset"))).toBe(1);
});

test("metrics are there with a key, and without one on the port of METRICS_PORT", async () => {
  const headers = { "x-api-key": await gateways.key() };
  expect(await (await fetch(`${url}/metrics`, { headers })).text()).toContain("api_gateway_queries_total");
  const { port } = JSON.parse(await gateways.processes[0]!.line('"msg":"health server"'));
  const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(scraped).toContain("api_gateway_queries_total");
});

test("a revoked key is 401 from the next request on, at every gateway", async () => {
  const { key, secret } = await gateways.keys.create({
    tenant: "a",
    requests_per_minute: 100,
    tokens_per_day: 100,
    priority: 1,
  });
  const headers = { "x-api-key": secret };
  const statuses = () =>
    Promise.all([url, other_url].map(async (at) => (await fetch(`${at}/documents`, { headers })).status));
  expect(await statuses()).toEqual([200, 200]);
  expect(await gateways.keys.revoke(key.id)).toBe(true);
  expect(await statuses()).toEqual([401, 401]);
});

test("a burst is let through up to the limit, whichever gateway and header it comes by; then it is 429", async () => {
  const secret = await gateways.key({ requests_per_minute: 6 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      fetch(`${i % 2 ? url : other_url}/documents`, { headers: carriers[(i >> 1) % 2]![1](secret) }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(6);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(14);
  for (const response of refused) {
    expect(await response.json()).toEqual({ error: { code: "rate_limited", message: expect.any(String) } });
    expect(Number(response.headers.get("retry-after"))).toBeWithin(1, 11);
    expect(response.headers.get("ratelimit-remaining")).toBe("0");
  }
});

test("a request past the limit is refused before its body is sent", async () => {
  const secret = await gateways.key({ requests_per_minute: 1 });
  await fetch(`${url}/documents`, { headers: { "x-api-key": secret } });
  const body = new ReadableStream({ pull: () => new Promise(() => {}) });
  const response = await fetch(`${url}/documents`, {
    method: "POST",
    headers: { "x-api-key": secret, "content-type": "multipart/form-data; boundary=b" },
    body,
  });
  expect(response.status).toBe(429);
});

test("a key that has used its tokens of the day is 429 until the next", async () => {
  const secret = await gateways.key({ tokens_per_day: 10 });
  const headers = { "x-api-key": secret, "content-type": "application/json" };
  const body = JSON.stringify({
    id: "long",
    format: "text",
    content: "a word or two, and then some more of them",
  });
  expect((await fetch(`${url}/documents`, { method: "POST", headers, body })).status).toBe(202);
  const refused = await fetch(`${other_url}/documents`, { headers });
  expect(refused.status).toBe(429);
  expect((await refused.json()).error.code).toBe("quota_exceeded");
  const midnight = 86_400 - (Math.floor(Date.now() / 1_000) % 86_400);
  expect(Math.abs(Number(refused.headers.get("retry-after")) - midnight)).toBeLessThan(5);
});

test("no key makes keys over HTTP", async () => {
  const headers = { "x-api-key": await gateways.key(), "content-type": "application/json" };
  const before = await gateways.redis.client.hlen("api_keys");
  const body = JSON.stringify({ tenant: "b", requests_per_minute: 1e6, tokens_per_day: 1e9, priority: 100 });
  for (const path of ["/keys", "/api/keys", "/v1/keys", "/admin/keys", "/query", "/documents"]) {
    for (const method of ["POST", "PUT", "PATCH"]) {
      expect((await fetch(`${url}${path}`, { method, headers, body })).status).toBeOneOf([400, 404]);
    }
  }
  expect(await gateways.redis.client.hlen("api_keys")).toBe(before);
});

test("while Redis is away it is 503, and nobody comes in", async () => {
  const alone = await startKeyedGateways();
  try {
    const headers = { "x-api-key": await alone.key() };
    await alone.redis.kill();
    expect((await fetch(`${alone.urls[0]}/documents`, { headers })).status).toBe(503);
  } finally {
    await alone.stop();
  }
});

describe("HOST beyond this machine", () => {
  const start = (env: Record<string, string>) =>
    startProcess("apps/gateway/main.ts", {
      REDIS_URL: gateways.redis.url,
      PORT: "0",
      HOST: "0.0.0.0",
      ...env,
    });

  test("without keys is refused with one line that says what to set, and exit code 2", async () => {
    const gateway = start({});
    expect(await gateway.child.exited).toBe(2);
    expect(gateway.stderr().split("\n")).toEqual([expect.stringMatching(/0\.0\.0\.0.*API_KEYS.*ALLOW_OPEN/)]);
  });

  test.each(["API_KEYS", "ALLOW_OPEN"])("with %s listens", async (setting) => {
    const gateway = start({ [setting]: "true" });
    await gateway.line('"msg":"listening"');
    expect(await gateway.stop()).toBe(0);
  });
});
