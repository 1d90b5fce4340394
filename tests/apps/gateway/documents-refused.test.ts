/** Uploads that the gateway refuses: each with a clear error, and nothing queued. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { bomb, line, pdf } from "../../support/pdf.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

setDefaultTimeout(60_000);

let redis: TestRedis;
let gateway: TestProcess;
let url: string;

beforeAll(async () => {
  redis = await startRedis();
  const env = { REDIS_URL: redis.url, PORT: "0", DATA_DIR: "/nonexistent", DRAIN_SECONDS: "1" };
  gateway = startProcess("apps/gateway/main.ts", env);
  url = JSON.parse(await gateway.line('"msg":"listening"')).url;
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
});

type Refusal = [what: string, status: number, code: string, request: () => RequestInit];

function json(value: unknown, headers: Record<string, string> = {}): () => RequestInit {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return () => ({ headers: { "content-type": "application/json", ...headers }, body });
}
const text = (more: object) => json({ format: "text", content: "A queue.", ...more });
function form(
  bytes: string | Uint8Array,
  name: string,
  fields: Record<string, string> = {},
): () => RequestInit {
  return () => {
    const body = new FormData();
    body.set("file", new File([bytes as Uint8Array<ArrayBuffer>], name));
    for (const [field, value] of Object.entries(fields)) body.set(field, value);
    return { body };
  };
}
const raw = (content_type: string, body: string | Uint8Array) => () => ({
  headers: { "content-type": content_type },
  body: body as Uint8Array<ArrayBuffer>,
});
const onePage = pdf({ pages: [line("A queue.")] });

const refusals: Refusal[] = [
  ["another content type", 415, "unsupported_media_type", raw("text/plain", "A queue.")],
  ["a body that is not JSON", 400, "invalid_json", json("A queue.")],
  [
    "a JSON body that is not UTF-8",
    400,
    "invalid_json",
    raw("application/json", new Uint8Array([0x22, 0xff, 0x22])),
  ],
  ["JSON that is no object", 400, "invalid_request", json([])],
  ["no content", 400, "invalid_request", json({ format: "text" })],
  ["no format", 400, "invalid_request", json({ content: "A queue." })],
  ["an unknown format", 400, "invalid_request", text({ format: "docx" })],
  ["an unknown field", 400, "invalid_request", text({ titel: "Queues" })],
  ["an empty id", 400, "invalid_request", text({ id: "" })],
  ["an id with a control character", 400, "invalid_request", text({ id: "a\nb" })],
  ["an id over 512 characters", 400, "invalid_request", text({ id: "x".repeat(513) })],
  [
    "an id with half a character",
    400,
    "invalid_request",
    json('{"format":"text","content":"x","id":"\\ud800"}'),
  ],
  ["a list in the metadata", 400, "invalid_request", text({ metadata: { tags: ["a"] } })],
  [
    "too much metadata",
    400,
    "invalid_request",
    text({
      metadata: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`name${i}`, "x".repeat(500)])),
    }),
  ],
  ["a tenant", 400, "invalid_request", text({ tenant: "another" })],
  ["an empty document", 422, "empty_document", text({ content: "" })],
  ["a blank document", 422, "empty_document", text({ content: " \n\t " })],
  ["HTML that shows nothing", 422, "empty_document", text({ format: "html", content: "<p><br></p>" })],
  ["an empty file", 422, "empty_document", form("", "a.md")],
  ["an empty PDF", 422, "empty_document", form("", "a.pdf")],
  ["binary as text", 415, "wrong_format", text({ content: "a\0b" })],
  [
    "random bytes as text",
    415,
    "wrong_format",
    form(
      new Uint8Array(256).map((_, i) => i % 32),
      "a.txt",
    ),
  ],
  ["text that is not UTF-8", 415, "invalid_utf8", form(new Uint8Array([0x61, 0xe9, 0x62]), "a.txt")],
  ["half a character", 415, "invalid_utf8", json('{"format":"text","content":"\\ud800"}')],
  ["an Office document as text", 415, "wrong_format", form("PK\x03\x04\x14\x00", "a.txt")],
  ["gzip as text", 415, "wrong_format", form(gzipSync("A queue."), "a.txt")],
  ["a PDF as Markdown", 415, "wrong_format", form(onePage, "a.md")],
  ["text as PDF", 415, "wrong_format", form("A queue.", "a.pdf")],
  ["a PDF in JSON that is not base64", 400, "invalid_request", text({ format: "pdf", content: "%PDF-1.4" })],
  ["a broken PDF", 422, "broken_pdf", form(onePage.subarray(0, 200), "a.pdf")],
  [
    "a PDF with a password",
    422,
    "encrypted_pdf",
    form(pdf({ pages: [line("x")], encrypted: true }), "a.pdf"),
  ],
  ["a PDF without text", 422, "no_text", form(pdf({ pages: ["BT ET"] }), "a.pdf")],
  ["a file of unknown format", 400, "invalid_request", form("A queue.", "a.docx")],
  ["a form without a file", 400, "invalid_request", () => ({ body: new FormData() })],
  ["a form with an unknown field", 400, "invalid_request", form("A queue.", "a.txt", { tenant: "another" })],
  [
    "a form whose metadata is not JSON",
    400,
    "invalid_request",
    form("A queue.", "a.txt", { metadata: "lang=en" }),
  ],
  ["a form that is none", 400, "invalid_form", raw("multipart/form-data; boundary=x", "A queue.")],
  [
    "a compressed body",
    415,
    "unsupported_content_encoding",
    () => ({
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(JSON.stringify({ format: "text", content: " ".repeat(2 ** 20) })),
    }),
  ],
  ["a body over 20 MB", 413, "body_too_large", text({ content: "x".repeat(20 * 2 ** 20) })],
];

async function refused(request: RequestInit) {
  const response = await fetch(`${url}/documents`, { method: "POST", ...request });
  const told = await response.json();
  expect(told).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  expect(told.error.message.length).toBeGreaterThan(10);
  expect((await redis.client.keys("*")).filter((key) => !key.startsWith("llm:"))).toEqual([]);
  return { status: response.status, code: told.error.code };
}

test.each(refusals)(
  "%s is refused with a clear error, and nothing is queued",
  async (_, status, code, request) => {
    expect(await refused(request())).toEqual({ status, code });
  },
);

test("a body over 20 MB that does not tell its length is refused as well", async () => {
  const part = new Uint8Array(2 ** 20).fill(32);
  let parts = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (parts++ < 22) controller.enqueue(part);
      else controller.close();
    },
  });
  const headers = { "content-type": "application/json" };
  expect(await refused({ headers, body })).toEqual({ status: 413, code: "body_too_large" });
});

test("a decompression bomb is refused, while the gateway answers others and keeps its memory", async () => {
  const memory = async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes\S* (\S+)/m.exec(metrics)?.[1]);
  };
  const upload = form(bomb(), "a.pdf")();
  const before = await memory();
  let open = true;
  const refusal = refused(upload).finally(() => {
    open = false;
  });
  let slowest_ms = 0;
  let most = before;
  while (open) {
    const started = performance.now();
    await fetch(`${url}/health`);
    slowest_ms = Math.max(slowest_ms, performance.now() - started);
    most = Math.max(most, await memory());
  }
  expect(await refusal).toEqual({ status: 422, code: "too_costly" });
  expect(slowest_ms).toBeLessThan(1_000);
  expect(most - before).toBeLessThan(100 * 2 ** 20);
});

test("while Redis is down an upload is refused with 503", async () => {
  await redis.kill();
  const response = await fetch(`${url}/documents`, { method: "POST", ...text({})() });
  expect(response.status).toBe(503);
  expect((await response.json()).error.code).toBe("redis_unavailable");
  await redis.restart();
});
