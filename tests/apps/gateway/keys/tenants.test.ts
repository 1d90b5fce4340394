/** A tenant sees its own documents, jobs and answers only: every id of another is 404, on every route. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisNames } from "#contracts";
import { KeyStore } from "../../../../apps/gateway/keys/key-store.ts";
import { startLine, type TestLine } from "../../../support/line.ts";
import { startProcess, type TestProcess } from "../../../support/process.ts";
import { until } from "../../../support/until.ts";

setDefaultTimeout(60_000);

const FACT = "The harbour master of Zanzibar keeps his ledgers in a green chest.";
const QUESTION = "Where does the harbour master of Zanzibar keep his ledgers?";
const METHODS = ["get", "post", "put", "patch", "delete"];

let line: TestLine;
let indexer: TestProcess;
let data_dir: string;
let a: Record<string, string>;
let b: Record<string, string>;

beforeAll(async () => {
  data_dir = mkdtempSync(join(tmpdir(), "ragline-"));
  const env = { API_KEYS: "true", DATA_DIR: data_dir };
  line = await startLine({ replicas: [{ MOCK_DELAY_MS: "5" }], env: { ...env, LOG_QUESTIONS: "true" } });
  const keys = new KeyStore(line.redis.client, redisNames());
  const of = async (tenant: string) => {
    const limits = { requests_per_minute: 1_000_000, tokens_per_day: 1e12, priority: 1 };
    const { secret } = await keys.create({ tenant, ...limits });
    return { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  };
  [a, b] = await Promise.all([of("a"), of("b")]);
  indexer = startProcess("apps/indexer/main.ts", {
    REDIS_URL: line.redis.url,
    DRAIN_SECONDS: "0",
    ...env,
    API_KEYS: "",
  });
  await indexer.line("taking messages");
});
afterAll(async () => {
  await indexer.stop();
  await line.stop();
  rmSync(data_dir, { recursive: true, force: true });
});

const call = (headers: Record<string, string>, method: string, path: string, body?: object) =>
  fetch(`${line.url}${path}`, { method, headers, body: body && JSON.stringify(body) });

async function upload(headers: Record<string, string>, document: object): Promise<string> {
  const response = await call(headers, "POST", "/documents", document);
  const { document_id, job_id } = await response.json();
  const state = async () => (await (await call(headers, "GET", `/documents/${document_id}`)).json()).state;
  const ended = await until(state, (now) => now === "indexed" || now === "failed");
  if (ended === "failed") throw new Error(`${document_id} was not indexed`);
  return job_id;
}

describe("with a document of tenant a", () => {
  let upload_job: string;
  beforeAll(async () => {
    upload_job = await upload(a, { id: "ledgers", title: "Ledgers", format: "text", content: FACT });
  });

  test("a sees it on every route", async () => {
    const { documents } = await (await call(a, "GET", "/documents")).json();
    expect(documents).toMatchObject([{ document_id: "ledgers" }]);
    expect(await (await call(a, "GET", "/documents/ledgers/passages")).text()).toContain("green chest");
    const { body } = await line.ask({ query: QUESTION }, { headers: a });
    expect(body.sources.map(({ document_id }) => document_id)).toEqual(["ledgers"]);
  });

  test("b gets 404 for its ids, and for those of its jobs, on every route that takes one", async () => {
    const answered = (await line.ask({ query: QUESTION }, { headers: a })).body.job_id;
    const { paths } = await (await fetch(`${line.url}/openapi.json`)).json();
    let asked = 0;
    for (const [path, operations] of Object.entries<object>(paths)) {
      if (!path.includes("{")) continue;
      for (const method of Object.keys(operations).filter((name) => METHODS.includes(name))) {
        for (const id of ["ledgers", upload_job, answered]) {
          const response = await call(b, method.toUpperCase(), path.replace(/\{\w+\}/, id));
          expect([method, path, id, response.status]).toEqual([method, path, id, 404]);
          expect(await response.text()).not.toContain("chest");
          asked++;
        }
      }
    }
    expect(asked).toBeGreaterThanOrEqual(12);
  });

  test("b neither lists it nor is answered from it, whatever it asks for", async () => {
    expect(await (await call(b, "GET", "/documents")).json()).toEqual({ documents: [] });
    for (const filter of [undefined, { document_ids: ["ledgers"] }, { metadata: { tenant: "a" } }]) {
      const { status, body } = await line.ask({ query: QUESTION, top_k: 50, filter }, { headers: b });
      expect([status, body.sources]).toEqual([200, []]);
      expect(body.answer).not.toContain("chest");
    }
  });

  test("b's document under the same id is another, and its deletion leaves a's", async () => {
    await upload(b, { id: "ledgers", format: "text", content: "Of something else." });
    expect(await (await call(a, "GET", "/documents/ledgers/passages")).text()).toContain("green chest");
    expect((await call(b, "DELETE", "/documents/ledgers")).status).toBeOneOf([202, 204]);
    expect((await call(a, "GET", "/documents/ledgers")).status).toBe(200);
  });

  test("an Idempotency-Key is its tenant's: b's is not answered with a's answer", async () => {
    const asked = (headers: Record<string, string>) =>
      line.ask({ query: QUESTION }, { headers: { ...headers, "idempotency-key": "same" } });
    const [of_a, of_b] = [await asked(a), await asked(b)];
    expect(of_b.body.job_id).not.toBe(of_a.body.job_id);
    expect(JSON.stringify(of_b.body)).not.toContain("chest");
    expect((await asked(a)).body.job_id).toBe(of_a.body.job_id);
  });

  test.each([
    "tenant",
    "tenant_id",
    "collection",
    "namespace",
    "upstream",
    "base_url",
    "selected_replica",
    "reply_to",
    "job_id",
    "priority",
  ])("no body names its %s: it is 400", async (field) => {
    const query = await call(b, "POST", "/query", { query: QUESTION, [field]: "a" });
    expect(query.status).toBe(400);
    const filter = await call(b, "POST", "/query", { query: QUESTION, filter: { [field]: "a" } });
    expect(filter.status).toBe(400);
    const document = await call(b, "POST", "/documents", { format: "text", content: "x", [field]: "a" });
    expect(document.status).toBe(400);
    expect((await call(b, "POST", "/jobs", { query: QUESTION, [field]: "a" })).status).toBe(400);
    const webhook = { url: "https://example.com/", secret: `whsec_${"A".repeat(32)}`, [field]: "a" };
    expect((await call(b, "POST", "/jobs", { query: QUESTION, webhook })).status).toBe(400);
    // OpenAI's clients send fields of their own, which are passed over.
    const messages = [{ role: "user", content: QUESTION }];
    const chat = await call(b, "POST", "/v1/chat/completions", { model: "ragline", messages, [field]: "a" });
    expect([chat.status, (await chat.text()).includes("chest")]).toEqual([200, false]);
    const form = new FormData();
    form.set("file", new File(["x"], "x.txt"));
    form.set(field, "a");
    const { authorization } = b;
    const sent = await fetch(`${line.url}/documents`, {
      method: "POST",
      headers: { authorization: authorization! },
      body: form,
    });
    expect(sent.status).toBe(400);
  });

  test("a header or a parameter that names a tenant changes nothing", async () => {
    const headers = { ...b, "x-tenant": "a", "x-tenant-id": "a", "x-forwarded-user": "a" };
    expect((await call(headers, "GET", "/documents/ledgers?tenant=a")).status).toBe(404);
    expect(await (await call(headers, "GET", "/documents?limit=100")).text()).not.toContain("Ledgers");
    expect((await call(headers, "GET", "/documents?tenant=a")).status).toBe(400);
  });
});

test("what the replica counted counts against the key's tokens of the day", async () => {
  const use = async () => {
    const names = await line.redis.client.keys("api_key:use:*");
    const counted = await Promise.all(names.map((name) => line.redis.client.hget(name, "tokens")));
    return counted.reduce((sum, tokens) => sum + Number(tokens ?? 0), 0);
  };
  const before = await use();
  const { usage } = (await line.ask({ query: QUESTION }, { headers: a })).body;
  expect(usage).toEqual({ prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) });
  await until(use, (now) => now !== before);
  expect(await use()).toBe(before + usage!.prompt_tokens + usage!.completion_tokens);
});

test("with LOG_QUESTIONS the log shows what was asked, by whom", async () => {
  const query = "Who is asked about in the log?";
  const { job_id } = (await line.ask({ query }, { headers: a })).body;
  const logged = await line.processes.get("gateway")!.line(query);
  expect(JSON.parse(logged)).toMatchObject({ query, job_id, tenant: "a" });
});

test("a question that waits can be cancelled by its own tenant only", async () => {
  await line.processes.get("encoder")!.stop();
  const asking = line.ask({ query: "Who waits?" }, { headers: a });
  const message = await until(() => line.redis.client.lindex("job:encoder_in", 0));
  const { job_id, tenant } = JSON.parse(message!);
  expect(tenant).toBe("a");
  const unknown = await (await call(b, "DELETE", "/jobs/nobodys")).text();
  const refused = await call(b, "DELETE", `/jobs/${job_id}`);
  expect([refused.status, await refused.text()]).toEqual([404, unknown.replace("nobodys", job_id)]);
  expect((await call(a, "DELETE", `/jobs/${job_id}`)).status).toBe(202);
  expect((await asking).status).toBe(409);
  // Nor is it told how it ended.
  expect((await call(b, "DELETE", `/jobs/${job_id}`)).status).toBe(404);
});
