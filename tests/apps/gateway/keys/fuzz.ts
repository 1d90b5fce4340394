/**
 * Requests as nobody means them, against two tenants' gateways.
 *   bun tests/apps/gateway/keys/fuzz.ts [REQUESTS] [SEED]      5,000 by default; prints what came back
 *
 * Bodies are made from the schemas and then broken, or are hostile from the start. Promised of each: no 5xx but those
 * of a line with nobody at work (503, 504), no crash, JSON or nothing, no stack, and nothing of another tenant.
 */
import { expect } from "bun:test";
import fc from "fast-check";
import { ChatRequest, DocumentUpload, EmbeddingsRequest, QueryRequest, Webhook } from "#contracts";
import { type KeyedGateways, startKeyedGateways } from "../../../support/keyed.ts";

/** In every document and question of the other tenant. */
const SECRET = "XYLOPHONE-OF-THE-OTHER-TENANT";
const THEIR_ID = "their-document";
/** As many uploads as a gateway reads at once: more would be 429, and tried nothing. */
const REQUESTS_AT_ONCE = 4;

interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

const hostile = fc.constantFrom<unknown>(
  "",
  "\0",
  "\ud800",
  "../../etc/passwd",
  "..%5c",
  "http://169.254.169.254/",
  "' OR 1=1 --",
  "{{7*7}}",
  "<script>",
  "‮",
  "a".repeat(9_000),
  null,
  true,
  -1,
  0,
  1.7e308,
  Number.MAX_SAFE_INTEGER,
  [],
  {},
  [[]],
  { $gt: "" },
  { toString: 1 },
);
const names = fc.constantFrom(
  ...Object.keys({
    ...QueryRequest.properties,
    ...DocumentUpload.properties,
    ...EmbeddingsRequest.properties,
    ...ChatRequest.properties,
    ...Webhook.properties,
  }),
  "tenant",
  "job_id",
  "__proto__",
  "constructor",
  "document_ids",
  "url",
  "stream",
  "webhook",
);
const anything = fc.oneof(
  hostile,
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: "binary", maxLength: 200 }),
);

const filter = fc.record(
  {
    document_ids: fc.array(fc.constantFrom(THEIR_ID, "mine", "x"), { maxLength: 3 }),
    metadata: fc.dictionary(
      fc.constantFrom("lang", "tenant"),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    ),
  },
  { requiredKeys: [] },
);
const question = fc.record(
  { query: fc.string({ minLength: 1, maxLength: 100 }), top_k: fc.integer({ min: 1, max: 50 }), filter },
  { requiredKeys: ["query"] },
);
const webhook = fc.record(
  {
    url: fc.oneof(
      fc.constantFrom(
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "http://x@y/",
        "file:///etc/passwd",
        "http://hooks.invalid/",
      ),
      fc.webUrl(),
      fc.string({ unit: "binary", maxLength: 60 }),
    ),
    secret: fc.oneof(fc.constant(`whsec_${"A".repeat(32)}`), fc.string({ maxLength: 100 })),
  },
  { requiredKeys: ["url"] },
);
const job = fc.tuple(question, webhook).map(([asked, told]) => ({ ...asked, webhook: told }));
const embeddings = fc.record(
  {
    model: fc.constantFrom("all-MiniLM-L6-v2", "ragline", "x"),
    input: fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.array(fc.string({ maxLength: 20 }), { maxLength: 5 }),
      fc.array(fc.oneof(fc.integer(), fc.array(fc.integer())), { maxLength: 5 }),
    ),
    encoding_format: fc.constantFrom("float", "base64", "int8"),
    dimensions: fc.integer(),
  },
  { requiredKeys: ["model", "input"] },
);
const chat = fc.record(
  {
    model: fc.constantFrom("ragline", "x"),
    messages: fc.array(fc.record({ role: fc.constantFrom("user", "system", "x"), content: anything }), {
      maxLength: 3,
    }),
    stream_options: fc.record({ include_usage: fc.boolean() }),
    filter,
  },
  { requiredKeys: ["model", "messages"] },
);
const upload = fc.record(
  {
    id: fc.oneof(fc.constant(THEIR_ID), fc.string({ maxLength: 30 })),
    title: fc.string({ maxLength: 30 }),
    source: fc.string({ maxLength: 30 }),
    format: fc.constantFrom("text", "markdown", "html", "pdf"),
    content: fc.string({ unit: "binary", maxLength: 300 }),
    metadata: fc.dictionary(fc.string({ maxLength: 10 }), anything, { maxKeys: 3 }),
  },
  { requiredKeys: ["format", "content"] },
);
/** What fits, with a field or two in place of others. */
const mutated = (sound: fc.Arbitrary<object>) =>
  fc
    .tuple(sound, fc.dictionary(names, anything, { maxKeys: 2 }))
    .map(([one, other]) => ({ ...one, ...other }));
/** As JSON, sometimes cut off or with bytes changed. */
const written = (value: fc.Arbitrary<unknown>) =>
  fc
    .tuple(
      value,
      fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
    )
    .map(([one, part]) => {
      const text = JSON.stringify(one) ?? "";
      return text.slice(0, Math.ceil(text.length * part));
    });

const multipart = fc
  .array(
    fc.tuple(
      fc.oneof(names, fc.constant("file")),
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.boolean(),
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => {
    const lines = parts.map(([name, text, is_file]) => {
      const file = is_file ? `; filename="../${name}%5c.txt"` : "";
      return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`;
    });
    return `${lines.join("")}--b--\r\n`;
  });

const id = fc.oneof(
  fc.constantFrom(THEIR_ID, "..", "%2e%2e", "%5c", "%00", "%ff", "nobody's", "a%2fb"),
  fc.string({ unit: "binary", maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed()) || "x"),
);
const parameters = fc
  .dictionary(
    fc.constantFrom("limit", "cursor", "around", "radius", "tenant"),
    fc.string({ maxLength: 20 }),
    {
      maxKeys: 3,
    },
  )
  .map((given) => new URLSearchParams(given).toString());
const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD");
const content_type = fc.constantFrom(
  "application/json",
  "application/json; charset=utf-16",
  "multipart/form-data; boundary=b",
  "multipart/form-data",
  "text/plain",
  "x/y;;;",
);

const json = (path: string, body: fc.Arbitrary<unknown>): fc.Arbitrary<FuzzRequest> =>
  written(body).map((text) => ({
    method: "POST",
    path,
    headers: { "content-type": "application/json" },
    body: text,
  }));

const request = (posted: readonly string[]): fc.Arbitrary<FuzzRequest> =>
  fc.oneof(
    ...posted.map((path) => json(path, mutated(question))),
    ...posted.map((path) => json(path, anything)),
    json("/documents", mutated(upload)),
    json("/jobs", mutated(job)),
    json("/v1/embeddings", mutated(embeddings)),
    json("/v1/chat/completions", mutated(chat)),
    fc.tuple(multipart, content_type).map(([body, type]) => ({
      method: "POST",
      path: "/documents",
      headers: { "content-type": type },
      body,
    })),
    fc
      .tuple(fc.constantFrom(...posted), content_type, fc.uint8Array({ maxLength: 500 }))
      .map(([path, type, body]) => ({
        method: "POST",
        path,
        headers: { "content-type": type },
        body: new Uint8Array(body),
      })),
    fc
      .tuple(
        method,
        fc.constantFrom("/documents/ID", "/documents/ID/passages", "/jobs/ID", "/ID"),
        id,
        parameters,
      )
      .map(([verb, path, one, query]) => ({
        method: verb,
        path: `${path.replace("ID", one)}?${query}`,
        headers: {},
      })),
    parameters.map((query) => ({ method: "GET", path: `/documents?${query}`, headers: {} })),
  );

export interface FuzzReport {
  readonly requests: number;
  /** How often each status came. */
  readonly statuses: Record<string, number>;
}

/** @throws what fast-check tells of the first request that broke a promise, shrunk, with its seed. */
export async function fuzz(requests: number, seed?: number): Promise<FuzzReport> {
  const gateways = await startKeyedGateways(1, { QUERY_TIMEOUT_MS: "20", MAX_QUEUE_DEPTH: "1000000" });
  try {
    return await run(gateways, requests, seed);
  } finally {
    await gateways.stop();
  }
}

async function run(gateways: KeyedGateways, requests: number, seed?: number): Promise<FuzzReport> {
  const url = gateways.urls[0]!;
  const [gateway] = gateways.processes;
  const [theirs, mine] = await Promise.all([
    gateways.key({ tenant: "theirs" }),
    gateways.key({ tenant: "mine" }),
  ]);
  const their_headers = {
    "x-api-key": theirs,
    "content-type": "application/json",
    "idempotency-key": "theirs",
  };
  const their_body = JSON.stringify({ id: THEIR_ID, title: SECRET, format: "text", content: SECRET });
  await fetch(`${url}/documents`, { method: "POST", headers: their_headers, body: their_body });

  const { paths } = await (await fetch(`${url}/openapi.json`)).json();
  const posted = Object.keys(paths).filter((path) => "post" in paths[path] && !path.includes("{"));

  const statuses: Record<string, number> = {};
  const send = async ({ method, path, headers, body }: FuzzRequest) => {
    const carried = { ...headers, authorization: `Bearer ${mine}` };
    const response = await fetch(`${url}${path}`, { method, headers: carried, body });
    const text = await response.text();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
    if (response.status >= 500) expect(response.status).toBeOneOf([503, 504]);
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules/);
    if (text)
      expect(response.headers.get("content-type")).toMatch(/^(application\/json|text\/plain; version)/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(gateway!.child.exitCode).toBeNull();
  };
  const batch = fc.array(request(posted), { minLength: REQUESTS_AT_ONCE, maxLength: REQUESTS_AT_ONCE });
  await fc.assert(
    fc.asyncProperty(batch, async (some) => void (await Promise.all(some.map(send)))),
    { numRuns: Math.ceil(requests / REQUESTS_AT_ONCE), seed, endOnFailure: false },
  );

  const still_there = await fetch(`${url}/documents/${THEIR_ID}`, { headers: their_headers });
  expect(await still_there.json()).toMatchObject({ title: SECRET, state: "queued" });
  return { requests: Object.values(statuses).reduce((sum, count) => sum + count, 0), statuses };
}

if (import.meta.main) {
  const [requests = "5000", seed] = process.argv.slice(2);
  console.log(await fuzz(Number(requests), seed === undefined ? undefined : Number(seed)));
}
