/** Documents from upload to deletion, with the real indexer, model and store. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_TENANT, type DocumentStatus, type DocumentsPage } from "#contracts";
import { ensureModel } from "#embedding";
import { sqlitePath } from "#runtime";
import { openSqliteStore } from "#vector-store";
import { line, pdf } from "../../support/pdf.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

setDefaultTimeout(120_000);

const MODEL_DIR = ".models";

let data_dir: string;
let redis: TestRedis;
let gateway: TestProcess;
let url: string;

beforeAll(async () => {
  await ensureModel({ directory: MODEL_DIR });
  data_dir = mkdtempSync(join(tmpdir(), "ragline-documents-"));
  redis = await startRedis();
  [gateway, url] = await startGateway();
});
afterAll(async () => {
  await gateway.stop();
  await redis.stop();
  rmSync(data_dir, { recursive: true, force: true });
});

const environment = () => ({
  REDIS_URL: redis.url,
  DATA_DIR: data_dir,
  MODEL_DIR,
  METRICS_PORT: "0",
  DRAIN_SECONDS: "1",
});

async function startGateway(env: Record<string, string> = {}): Promise<[TestProcess, string]> {
  const started = startProcess("apps/gateway/main.ts", {
    ...environment(),
    PORT: "0",
    MAX_QUEUE_DEPTH: "8",
    ...env,
  });
  return [started, JSON.parse(await started.line('"msg":"listening"')).url];
}

async function startIndexer(): Promise<TestProcess> {
  const started = startProcess("apps/indexer/main.ts", { ...environment(), LEASE_MS: "1000" });
  await started.line("taking messages");
  return started;
}

async function upload(
  id: string,
  content: string,
  more: object = {},
  headers: Record<string, string> = {},
  to = url,
) {
  const response = await fetch(`${to}/documents`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ id, format: "markdown", content, ...more }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const path = (id: string) => `${url}/documents/${encodeURIComponent(id)}`;
async function statusOf(id: string): Promise<DocumentStatus | undefined> {
  const response = await fetch(path(id));
  return response.status === 404 ? undefined : ((await response.json()) as DocumentStatus);
}
/** Asks until its state fits. */
async function become(id: string, fits: (status: DocumentStatus | undefined) => unknown) {
  const status = await until(
    () => statusOf(id),
    (now) => fits(now) || now?.state === "failed",
  );
  if (!fits(status)) throw new Error(JSON.stringify(status));
  return status!;
}
const indexed = (status: DocumentStatus | undefined) => status?.state === "indexed";
const remove = (id: string) => fetch(path(id), { method: "DELETE" });

/** What questions would find of a document. */
async function storedText(id: string): Promise<string> {
  const store = openSqliteStore({ path: sqlitePath(data_dir), readonly: true });
  const passages = await store.passages(DEFAULT_TENANT, id, 0, 1_000);
  await store.close();
  return passages.map(({ text }) => text).join("\n");
}

/** Chunks of a document that is some seconds of work. */
const PARTS = 40;
const long = (word: string) =>
  Array.from(
    { length: PARTS },
    (_, i) => `## Part ${i}\n\n${`${word} number ${i} says a few more words. `.repeat(12)}`,
  ).join("\n\n");

describe("with an indexer at work", () => {
  let indexer: TestProcess;
  beforeAll(async () => {
    indexer = await startIndexer();
  });
  afterAll(() => indexer.stop());

  test("an upload is indexed, and known by all that was said of it", async () => {
    const about = {
      title: "Of queues",
      source: "https://example.org/queues",
      metadata: { lang: "en", year: 2026 },
    };
    const { status, headers, body } = await upload(
      "guides/queues",
      "# Queues\n\n## Depth\n\nA queue has a depth.",
      about,
    );
    expect(status).toBe(202);
    expect(headers.get("location")).toBe("/documents/guides%2Fqueues");
    expect(body).toEqual({ document_id: "guides/queues", state: "queued", job_id: expect.any(String) });
    expect(await become("guides/queues", indexed)).toEqual({
      document_id: "guides/queues",
      state: "indexed",
      ...about,
      chunks: 1,
      job_id: body.job_id,
      submitted_at: expect.any(Number),
      finished_at: expect.any(Number),
    });
    const again = await upload("guides/queues", "# Queues\n\nAnother text.");
    await become("guides/queues", (now) => indexed(now) && now?.job_id === again.body.job_id);
    expect(await storedText("guides/queues")).toBe("Another text.");
  });

  test("a PDF is indexed from a form, under its own title", async () => {
    const form = new FormData();
    const bytes = pdf({ title: "Of backpressure", pages: [line("Backpressure slows whoever sends.")] });
    form.set("file", new File([new Uint8Array(bytes)], "backpressure.pdf"));
    form.set("metadata", '{"year": 2025}');
    const response = await fetch(`${url}/documents`, { method: "POST", body: form });
    expect(response.status).toBe(202);
    const { document_id } = await response.json();
    expect(await become(document_id, indexed)).toMatchObject({
      title: "Of backpressure",
      source: "backpressure.pdf",
      metadata: { year: 2025 },
      chunks: 1,
    });
  });

  test("a source is shown in its context", async () => {
    const content = ["One", "Two", "Three", "Four"]
      .map((name) => `## ${name}\n\n${`This is what part ${name} says. `.repeat(12)}`)
      .join("\n\n");
    await upload("context", `# Context\n\n${content}`);
    await become("context", indexed);
    const { passages, ...about } = await (
      await fetch(`${path("context")}/passages?around=3&radius=1`)
    ).json();
    expect(about).toEqual({ document_id: "context", title: "Context", source: "context" });
    expect(passages.map((passage: { position: number }) => passage.position)).toEqual([2, 3]);
    expect(passages[0]).toMatchObject({ id: "context#2", heading_path: ["Three"] });
    expect((await fetch(`${path("context")}/passages?around=90`)).status).toBe(404);
    expect((await fetch(`${path("nothing")}/passages`)).status).toBe(404);
  });

  test("progress is seen while it is indexed, and a deletion then is final", async () => {
    await upload("long", `# Long\n\n${long("Walrus")}`);
    const midway = await become("long", (now) => now?.progress);
    expect(midway).toMatchObject({ state: "indexing", progress: { total: PARTS } });
    const deleted = await remove("long");
    expect([202, 204]).toContain(deleted.status);
    await become("long", (now) => now === undefined);
    expect(await storedText("long")).toBe("");
    expect((await remove("long")).status).toBe(404);
  });

  test("a deleted document is gone, and can come back", async () => {
    await upload("back", "First.");
    await become("back", indexed);
    expect([202, 204]).toContain((await remove("back")).status);
    await become("back", (now) => now === undefined);
    expect(await storedText("back")).toBe("");
    await upload("back", "Second.");
    await become("back", indexed);
    expect(await storedText("back")).toBe("Second.");
  });

  test("a message that another program pushed is indexed, whatever was uploaded before", async () => {
    await upload("foreign", "Ours.");
    await become("foreign", indexed);
    const job = {
      job_id: crypto.randomUUID(),
      submitted_at: Date.now(),
      deadline: Date.now() + 60_000,
      reply_to: "another-program",
      timings: {},
      document_id: "foreign",
      source: "foreign.txt",
      format: "text",
      content: "Theirs.",
    };
    await redis.client.lpush("job:index_in", JSON.stringify(job));
    await until(
      () => storedText("foreign"),
      (text) => text === "Theirs.",
    );
    expect(await become("foreign", indexed)).toMatchObject({ source: "foreign.txt" });
  });

  test("all documents are listed page by page, those on their way and those that files gave", async () => {
    const ingest = startProcess("apps/indexer/ingest.ts", environment(), ["corpus/caching.md"]);
    expect(await ingest.child.exited).toBe(0);
    for (const id of ["list/a", "list/b", "list/ß", "list/😀"]) await upload(id, `About ${id}.`);
    const ids: string[] = [];
    let query = "";
    for (let pages = 0; ; pages++) {
      expect(pages).toBeLessThan(50);
      const response = await fetch(`${url}/documents?limit=2${query}`);
      const { documents, next_cursor } = (await response.json()) as DocumentsPage;
      expect(documents.length).toBeLessThanOrEqual(2);
      ids.push(...documents.map(({ document_id }) => document_id));
      if (!next_cursor) break;
      query = `&cursor=${next_cursor}`;
    }
    expect(ids).toContain("corpus/caching.md");
    expect(ids.filter((id) => id.startsWith("list/"))).toEqual(["list/a", "list/b", "list/ß", "list/😀"]);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await fetch(`${url}/documents?cursor=%21`)).status).toBe(400);
  });
});

describe("while no indexer is there", () => {
  beforeEach(() => redis.client.flushall());

  test("an upload waits, and the same key gives the same job; for another document it is refused", async () => {
    const first = await upload("keyed", "Once.", {}, { "idempotency-key": "k" });
    const again = await upload("keyed", "Once.", {}, { "idempotency-key": "k" });
    expect(again.body).toEqual(first.body);
    expect(await statusOf("keyed")).toMatchObject({ state: "queued", source: "keyed" });
    expect(await redis.client.llen("job:index_in")).toBe(1);
    const other = await upload("keyed", "Twice.", {}, { "idempotency-key": "k" });
    expect(other).toMatchObject({ status: 422, body: { error: { code: "idempotency_key_reused" } } });
  });

  test("an id of which nothing is known any more is not listed, and forgotten", async () => {
    await upload("known", "x");
    await redis.client.zadd("documents:default", 0, "unknown");
    const { documents } = (await (await fetch(`${url}/documents?limit=100`)).json()) as DocumentsPage;
    const ids = documents.map(({ document_id }) => document_id);
    expect(ids).toContain("known");
    expect(ids).not.toContain("unknown");
    await until(async () => (await redis.client.zscore("documents:default", "unknown")) === null);
    expect(await redis.client.zscore("documents:default", "known")).toBe("0");
  });

  test("a full queue refuses with 429 and Retry-After, and knows nothing of what it refused", async () => {
    for (let i = 0; i < 8; i++) expect((await upload(`full/${i}`, "x")).status).toBe(202);
    const { status, headers, body } = await upload("full/8", "x");
    expect({ status, code: body.error.code }).toEqual({ status: 429, code: "line_full" });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await statusOf("full/8")).toBeUndefined();
  });

  test("of uploads and deletions of one document the last one stays, in whatever order they are done", async () => {
    for (const id of ["order/1", "order/2", "order/3"]) await upload(id, "First.");
    await upload("order/1", "Second.");
    const deletions = await Promise.all([remove("order/2"), remove("order/3")]);
    expect(deletions.map(({ status }) => status)).toEqual([202, 202]);
    expect(await statusOf("order/2")).toMatchObject({ state: "deleting" });
    await upload("order/3", "Third.");
    // The other way round: what came last is taken first.
    const messages = await redis.client.lrange("job:index_in", 0, -1);
    await redis.client.del("job:index_in");
    await redis.client.rpush("job:index_in", ...messages.reverse());
    const indexer = await startIndexer();
    await Promise.all([
      become("order/1", indexed),
      become("order/2", (now) => !now),
      become("order/3", indexed),
    ]);
    expect(await indexer.stop()).toBe(0);
    expect(await redis.client.llen("job:index_in")).toBe(0);
    expect(await Promise.all(["order/1", "order/2", "order/3"].map(storedText))).toEqual([
      "Second.",
      "",
      "Third.",
    ]);
  });

  test("a document of a killed indexer is indexed by another", async () => {
    const [first, second] = [await startIndexer(), await startIndexer()];
    await upload("killed", `# Killed\n\n${long("Otter")}`);
    await become("killed", (now) => now?.progress);
    const held = await redis.client.keys("job:index_in:processing:*");
    expect(held.length).toBe(1);
    const holder = held[0]!.split(":").at(-1)!;
    const started = await Promise.all([first, second].map((one) => one.line("taking messages")));
    const victim = started[0]!.includes(holder) ? first : second;
    victim.child.kill("SIGKILL");
    expect(await become("killed", indexed)).toMatchObject({ chunks: PARTS });
    await Promise.all([first.stop(), second.stop()]);
  });

  test("why it was not indexed is told: past its deadline, and by workers that died of it", async () => {
    const [impatient, its_url] = await startGateway({ DOCUMENT_TIMEOUT_MS: "1" });
    await upload("late", "x", {}, {}, its_url);
    await impatient.stop();
    await upload("poison", "x");
    await heldByTheDead((await statusOf("poison"))!.job_id!);
    const indexer = await startIndexer();
    const why = await Promise.all(
      ["late", "poison"].map(async (id) => {
        const status = await become(id, (now) => now?.state === "failed");
        return status.error?.code;
      }),
    );
    expect(why).toEqual(["expired", "worker_died"]);
    await remove("poison");
    await become("poison", (now) => !now);
    await indexer.stop();
  });
});

/** As if two workers had died of a job, and a third one had just done so. */
async function heldByTheDead(job_id: string): Promise<void> {
  const message = (await redis.client.lrange("job:index_in", 0, -1)).find((one) => one.includes(job_id))!;
  const digest = new Bun.CryptoHasher("sha1").update(message).digest("hex");
  await redis.client
    .multi()
    .lrem("job:index_in", 1, message)
    .lpush("job:index_in:processing:dead", message)
    .zadd("job:index_in:consumers", 1, "dead")
    .hset("job:index_in:deliveries", digest, 2)
    .exec();
}
