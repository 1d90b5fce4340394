import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { loadModel } from "#embedding";
import { openSqliteStore, StoreError, type VectorStore } from "#vector-store";
import { Chunker } from "../../../apps/indexer/chunker.ts";
import type { SourceDocument } from "../../../apps/indexer/document.ts";
import { indexDocument } from "../../../apps/indexer/index-document.ts";
import { directory } from "../../packages/embedding/model-root.ts";

setDefaultTimeout(60_000);

const model = await loadModel({ directory });
const chunker = new Chunker({ model: { directory }, window: model.window });
afterAll(async () => {
  chunker.close();
  await model.close();
});

let folder: string;
let store: VectorStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ragline-index-"));
  store = openSqliteStore({ path: join(folder, "ragline.sqlite") });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const fruit: SourceDocument = {
  id: "fruit.md",
  source: "fruit.md",
  format: "markdown",
  content: [
    "# Fruit",
    ...["Apples", "Bananas", "Cherries"].map(
      (name) => `## ${name}\n\n${`${name} are eaten raw. `.repeat(20)}`,
    ),
  ].join("\n\n"),
};
const vegetables: SourceDocument = {
  ...fruit,
  id: "v",
  source: "v.txt",
  format: "text",
  content: "Leek.\n\nKale.",
};

const index = (document: SourceDocument, signal?: AbortSignal) =>
  indexDocument({ store, model, chunker }, document, { signal });
async function find(question: string, top_k = 10) {
  const [vector] = await model.embed([question]);
  return store.search({ tenant: DEFAULT_TENANT, vector: vector!, text: question, top_k });
}

test("a document is found by what it says, with all that is known of it", async () => {
  expect(await index(fruit)).toEqual({ chunks: 3, changed: true });
  await index(vegetables);
  const [best] = await find("Can I eat bananas without cooking them?");
  expect(best).toMatchObject({
    id: "fruit.md#1",
    document_id: "fruit.md",
    title: "Fruit",
    heading_path: ["Bananas"],
    source: "fruit.md",
    position: 1,
  });
  expect(best?.text).toStartWith("Bananas are eaten raw. Bananas");
  expect(best?.tokens).toBe(model.countTokens(best?.text ?? ""));
});

test("chunks are numbered in the order of the document, past one batch too", async () => {
  const content = Array.from(
    { length: 40 },
    (_, at) => `## Part ${at}\n\n${`Part ${at} it is. `.repeat(16)}`,
  ).join("\n\n");
  expect((await index({ ...fruit, content })).chunks).toBe(40);
  const hits = await find("part", 50);
  expect(hits.length).toBe(40);
  for (const hit of hits) {
    expect(hit.id).toBe(`fruit.md#${hit.position}`);
    expect(hit.heading_path).toEqual([`Part ${hit.position}`]);
  }
});

test("the same document again changes nothing", async () => {
  await index(fruit);
  const before = await find("apples");
  expect(await index(fruit)).toEqual({ chunks: 3, changed: false });
  expect(await find("apples")).toEqual(before);
});

test("a changed document replaces its chunks", async () => {
  await index(fruit);
  await index(vegetables);
  expect(await index({ ...fruit, content: "# Fruit\n\nPlums." })).toEqual({ chunks: 1, changed: true });
  expect((await find("apples")).map((hit) => hit.text).sort()).toEqual(["Leek.\n\nKale.", "Plums."]);
  expect(await store.info()).toMatchObject({ documents: 2, chunks: 2 });
});

test.each([
  ["format", { format: "text" }],
  ["source", { source: "elsewhere.md" }],
] as const)("a document of another %s is a changed one", async (_, change) => {
  await index(fruit);
  expect((await index({ ...fruit, ...change })).changed).toBe(true);
});

test("a document that another model embedded is a changed one", async () => {
  await index(fruit);
  const other = Object.create(model, { name: { value: "someone/another-model" } });
  expect((await indexDocument({ store, model: other, chunker }, fruit)).changed).toBe(true);
});

test("a document that lost its text has no chunks, and is known as such", async () => {
  await index(fruit);
  expect(await index({ ...fruit, content: "" })).toEqual({ chunks: 0, changed: true });
  expect(await index({ ...fruit, content: "" })).toEqual({ chunks: 0, changed: false });
  expect(await store.info()).toMatchObject({ documents: 1, chunks: 0 });
});

test("stopped, it leaves what was there", async () => {
  await index(vegetables);
  const reason = new Error("enough");
  await expect(index({ ...vegetables, content: "Other." }, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect((await find("leek")).map((hit) => hit.text)).toEqual(["Leek.\n\nKale."]);
});

test("a store that cannot be used is told as such", async () => {
  await store.close();
  await expect(index(fruit)).rejects.toBeInstanceOf(StoreError);
});
