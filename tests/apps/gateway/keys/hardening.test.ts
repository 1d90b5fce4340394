/** What a hostile client sends, at every route that it concerns. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { carriers, type KeyedGateways, startKeyedGateways } from "../../../support/keyed.ts";
import { rawRequest } from "../../../support/raw-http.ts";

setDefaultTimeout(60_000);

let gateways: KeyedGateways;
let url: string;
let secret: string;

beforeAll(async () => {
  gateways = await startKeyedGateways(1, {
    BODY_TIMEOUT_MS: "1000",
    LOG_LEVEL: "trace",
    QUERY_TIMEOUT_MS: "2000",
  });
  url = gateways.urls[0]!;
  secret = await gateways.key();
});
afterAll(() => gateways.stop());

const json = () => ({ "x-api-key": secret, "content-type": "application/json" });
const post = (path: string, body: string, headers: Record<string, string> = json()) =>
  fetch(`${url}${path}`, { method: "POST", headers, body });

type Route = [method: string, path: string];

/** Every route, with ids that nobody has; those that are open to everybody too. */
async function routes(): Promise<Route[]> {
  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  const described = Object.entries<object>(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method): Route => [method.toUpperCase(), path.replace(/\{\w+\}/, "none")]),
  );
  return [
    ...described,
    ["GET", "/swagger"],
    ["GET", "/openapi.json"],
    ["GET", "/nothing"],
    ["PUT", "/query"],
  ];
}
const bodyOf = (method: string) => (method === "GET" || method === "DELETE" ? undefined : "{}");

describe("every route", () => {
  test("tells browsers not to guess what an answer is, and lets no other origin read it", async () => {
    for (const [method, path] of await routes()) {
      for (const headers of [json(), {}]) {
        const response = await fetch(`${url}${path}`, {
          method,
          headers: { ...headers, origin: "https://evil.example" },
          body: bodyOf(method),
        });
        expect([path, response.headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
        expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
      const preflight = await fetch(`${url}${path}`, {
        method: "OPTIONS",
        headers: { origin: "https://evil.example", "access-control-request-method": method },
      });
      expect(preflight.ok).toBe(false);
      expect([...preflight.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  test("refuses a Host that is no name, which could show another path than the one asked for", async () => {
    for (const [method, path] of await routes()) {
      for (const host of [
        "x/health?",
        "x/health#",
        "x@y",
        "x/../swagger",
        "a b",
        "x\\health",
        "x/ready?a=",
      ]) {
        const answer = await rawRequest(
          url,
          `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nx-api-key: ${secret}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        );
        expect([path, host, answer.status]).toEqual([path, host, 400]);
      }
    }
  });

  test("has the same answer for every name in Host, and links to none", async () => {
    for (const [method, path] of await routes()) {
      const told = await Promise.all(
        ["gateway", "evil.example:99"].map((host) =>
          rawRequest(
            url,
            `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nx-forwarded-host: ${host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
          ),
        ),
      );
      expect(told[1]!.status).toBe(told[0]!.status);
      expect(told[1]!.head + told[1]!.body).not.toContain("evil.example");
    }
  });

  test("refuses headers of 64 KB", async () => {
    for (const [method, path] of await routes()) {
      const answer = await rawRequest(
        url,
        `${method} ${path} HTTP/1.1\r\nhost: gateway\r\nx-long: ${"x".repeat(64 * 1024)}\r\n\r\n`,
      );
      expect([path, answer.status]).toEqual([path, 431]);
    }
  });

  test("answers before the body comes where there is no key, however much of it is announced", async () => {
    const types = [
      "application/json",
      "multipart/form-data; boundary=b",
      "multipart/form-data; boundary=",
      "x",
    ];
    for (const [method, path] of await routes()) {
      if (path.startsWith("/swagger") || ["/openapi.json", "/health", "/ready"].includes(path)) continue;
      for (const type of types) {
        const answer = await rawRequest(
          url,
          `${method} ${path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: ${type}\r\ncontent-length: 20000000\r\n\r\n--b\r\n`,
        );
        expect([path, type, answer.status]).toEqual([path, type, 401]);
      }
    }
  });
});

describe.each(carriers)("with a key in %s", (_, carry) => {
  test.each(["/query", "/documents", "/jobs", "/v1/chat/completions", "/v1/embeddings"])(
    "%s waits no longer for a slow body than it may",
    async (path) => {
      const head = Object.entries(carry(secret)).map(([name, value]) => `${name}: ${value}\r\n`);
      const answers = await Promise.all(
        ["content-length: 100", "transfer-encoding: chunked"].map((length) =>
          rawRequest(
            url,
            `POST ${path} HTTP/1.1\r\nhost: gateway\r\n${head.join("")}content-type: application/json\r\n${length}\r\n\r\n`,
          ),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([408, 408]);
      expect(JSON.parse(answers[0]!.body).error.code).toBe("body_timeout");
    },
  );

  test.each([
    ["/query", 300 * 1024],
    ["/jobs", 300 * 1024],
    ["/v1/chat/completions", 300 * 1024],
    ["/v1/embeddings", 300 * 1024],
    ["/documents", 21 * 2 ** 20],
    ["/documents", 100 * 2 ** 20],
  ])("%s refuses a body of %d bytes by what it announces", async (path, length) => {
    const head = Object.entries(carry(secret)).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = await rawRequest(
      url,
      `POST ${path} HTTP/1.1\r\nhost: gateway\r\n${head.join("")}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n{`,
    );
    expect(answer.status).toBe(413);
  });
});

test("no body makes the gateway connect to anything, whatever field names it, at every route", async () => {
  let connections = 0;
  const canary = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      open: () => void connections++,
      data() {},
    },
  });
  const there = `http://127.0.0.1:${canary.port}/`;
  const fields = [
    "upstream",
    "base_url",
    "url",
    "endpoint",
    "proxy",
    "callback_url",
    "selected_replica",
    "webhook",
  ];
  const bodies = [
    { query: "?" },
    { model: "ragline", messages: [{ role: "user", content: "?" }] },
    { model: "all-MiniLM-L6-v2", input: "?" },
    { format: "text", content: "?" },
  ];
  const posts = (await routes()).filter(([method]) => method === "POST");
  await Promise.all(
    posts.map(async ([, path]) => {
      for (const body of bodies) {
        const naming = [
          Object.fromEntries(fields.map((field) => [field, there])),
          { webhook: { url: there, secret: `whsec_${"A".repeat(32)}` } },
          { [there]: { image_url: { url: there } } },
        ];
        for (const response of await Promise.all(
          naming.map((more) => post(path, JSON.stringify({ ...body, ...more }))),
        )) {
          expect([path, response.status]).toEqual([path, response.status === 504 ? 504 : 400]);
        }
      }
    }),
  );
  expect(connections).toBe(0);
  canary.stop(true);
});

test("no answer shows a stack or a path of this machine", async () => {
  const bodies = [
    "{",
    "null",
    '{"query":1}',
    '{"__proto__":{"x":1},"query":"x"}',
    '{"constructor":1}',
    "[".repeat(1e5),
  ];
  for (const [method, path] of await routes()) {
    if (method !== "POST") continue;
    for (const body of bodies) {
      const text = await (await post(path, body)).text();
      expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules|\/apps\/|\.ts\b/);
    }
  }
});

describe("an uploaded file", () => {
  test.each([
    "../../etc/passwd.txt",
    "..\\..\\windows.txt",
    "..%5c..%5cwindows.txt",
    "%2e%2e%2fpasswd.txt",
    "/etc/passwd.txt",
    "C:\\boot.txt",
    "file:///etc/passwd.txt",
    "<img src=x onerror=alert(1)>.txt",
  ])("named %p is a name, never a path: it is told as it came, and as JSON", async (name) => {
    const form = new FormData();
    form.set("file", new File(["Of a queue."], name));
    const headers = { "x-api-key": secret };
    const sent = await fetch(`${url}/documents`, { method: "POST", headers, body: form });
    expect(sent.status).toBe(202);
    const { document_id } = await sent.json();
    expect(document_id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const told = await fetch(`${url}/documents/${document_id}`, { headers });
    expect(told.headers.get("content-type")).toStartWith("application/json");
    expect((await told.json()).source).toEndWith(name.split(/[\\/]/).at(-1)!);
  });

  test.each(["../x", "..%5cx", "/etc/passwd", "a\\b", "%2e%2e/x"])(
    "under the id %p is found under it alone",
    async (id) => {
      const { location } = Object.fromEntries(
        (await post("/documents", JSON.stringify({ id, format: "text", content: "Of a queue." }))).headers,
      );
      expect(location).toBe(`/documents/${encodeURIComponent(id)}`);
      const told = await fetch(`${url}/documents/${encodeURIComponent(id)}`, { headers: json() });
      expect([told.status, (await told.json()).document_id]).toEqual([200, id]);
    },
  );

  test("as a multipart body that is none, or has too many parts, is refused", async () => {
    const part = '--b\r\ncontent-disposition: form-data; name="x"\r\n\r\ny\r\n';
    const bodies = [
      "",
      "--b",
      "--b--",
      "--b\r\n\r\n\r\n--b--",
      "x".repeat(1e5),
      `${part.repeat(20_000)}--b--`,
    ];
    for (const type of [
      "multipart/form-data; boundary=b",
      "multipart/form-data",
      "multipart/form-data; boundary=",
    ]) {
      for (const body of bodies) {
        const started = performance.now();
        const response = await post("/documents", body, { "x-api-key": secret, "content-type": type });
        expect([type, body.slice(0, 20), response.status]).toEqual([type, body.slice(0, 20), 400]);
        expect(performance.now() - started).toBeLessThan(5_000);
      }
    }
  });
});

test("markup in a title, an id or a question comes back as JSON only", async () => {
  const markup = '<script>alert(1)</script><img src=x onerror="alert(2)">';
  const told = [
    await post("/documents", JSON.stringify({ id: markup, title: markup, format: "text", content: markup })),
    await fetch(`${url}/documents/${encodeURIComponent(markup)}`, { headers: json() }),
    await fetch(`${url}/documents/${encodeURIComponent(markup)}/passages`, { headers: json() }),
    await fetch(`${url}/documents`, { headers: json() }),
    await fetch(`${url}/documents?limit=${encodeURIComponent(markup)}`, { headers: json() }),
    await fetch(`${url}/jobs/${encodeURIComponent(markup)}`, { method: "DELETE", headers: json() }),
    await fetch(`${url}/${encodeURIComponent(markup)}`, { headers: json() }),
    await post("/query", JSON.stringify({ query: markup, [markup]: markup })),
    await post("/jobs", JSON.stringify({ query: markup, webhook: { url: markup } })),
    await post("/jobs", JSON.stringify({ query: markup, webhook: { url: `http://${markup}/` } })),
    await post("/v1/embeddings", JSON.stringify({ model: markup, input: markup })),
    await post("/v1/embeddings", JSON.stringify({ model: "all-MiniLM-L6-v2", input: [[markup]] })),
    await post("/v1/chat/completions", JSON.stringify({ model: markup, messages: [{ role: markup }] })),
    await fetch(`${url}/v1/models/${encodeURIComponent(markup)}`, { headers: json() }),
  ];
  for (const response of told) {
    expect([response.url, response.headers.get("content-type")]).toEqual([
      response.url,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    await response.json();
  }
});

test("the log holds no key and no question, at any level and when Redis fails", async () => {
  const marker = "MARKER-OF-A-QUESTION";
  const asking = post("/query", JSON.stringify({ query: marker }), {
    ...json(),
    authorization: `Bearer ${secret}`,
  });
  expect((await asking).status).toBe(504); // nobody is there to answer
  await gateways.redis.client.config("SET", "maxmemory", "1");
  expect((await post("/query", JSON.stringify({ query: marker }))).status).toBe(503);
  await gateways.redis.client.config("SET", "maxmemory", "0");
  const [gateway] = gateways.processes;
  await gateway!.stop();
  await gateway!.line('"msg":"stopped"');
  const log = `${gateway!.stdout()}${gateway!.stderr()}`;
  expect(log).toContain('"answered with an error"');
  expect(log).not.toContain(marker);
  expect(log).not.toContain(secret.slice(3));
  expect(log).not.toContain(new Bun.CryptoHasher("sha256").update(secret).digest("hex"));
});
