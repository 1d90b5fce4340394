import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import {
  type Metadata,
  openSqliteStore,
  type SearchRequest,
  StoreError,
  type VectorStore,
} from "#vector-store";
import { atCosine, chunkOf, chunksOf, documentOf, unitVector } from "./passages.ts";

const folder = mkdtempSync(join(tmpdir(), "ragline-sqlite-search-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => join(folder, `${++files}.sqlite`);

let store: VectorStore;
beforeEach(() => {
  store = openSqliteStore({ path: newPath() });
});
afterEach(() => store.close());

interface Given {
  text?: string;
  title?: string;
  vector?: Float32Array;
  tenant?: string;
  metadata?: Metadata;
}
async function put(id: string, { text, title, vector, tenant = DEFAULT_TENANT, metadata = {} }: Given = {}) {
  const document = { ...documentOf(id), tenant, metadata, ...(title && { title }) };
  await store.upsert(document, [chunkOf(document, 0, vector ?? unitVector(Bun.hash.crc32(id)), text)]);
}
async function found(text: string, request: Partial<SearchRequest> = {}): Promise<string[]> {
  const all = {
    tenant: DEFAULT_TENANT,
    mode: "text",
    vector: atCosine(1),
    top_k: 50,
    ...request,
    text,
  } as const;
  return (await store.search(all)).map(({ document_id }) => document_id);
}

describe("SQLite's search by words", () => {
  test("finds the words in any form, and those that have more of the question first", async () => {
    await put("both", { text: "Queues were running over the bridges." });
    await put("one", { text: "A bridge stood there for years, and nobody crossed it." });
    await put("none", { text: "Something else altogether." });
    expect(await found("Which queue runs over a bridge?")).toEqual(["both", "one"]);
  });

  test("a word in the title counts more than one in the text", async () => {
    await put("text", { title: "Notes", text: "backpressure" });
    await put("title", { title: "Backpressure", text: "notes" });
    expect(await found("backpressure")).toEqual(["title", "text"]);
  });

  test("a heading's words are found", async () => {
    await put("a", { text: "Nothing of the kind." });
    expect(await found("section")).toEqual(["a"]);
  });

  test("a question that repeats a word means it more", async () => {
    await put("apples", { text: "apples and trees and grass" });
    await put("pears", { text: "pears and trees and grass" });
    expect(await found("apples pears")).toEqual(["apples", "pears"]);
    expect(await found("apples pears pears")).toEqual(["pears", "apples"]);
  });

  test("equal scores are ordered by id", async () => {
    for (const id of ["c", "a", "b"]) await put(id, { title: "Same", text: "kumquat" });
    expect(await found("kumquat")).toEqual(["a", "b", "c"]);
  });

  test("no question breaks its syntax", async () => {
    await put("a", { text: 'AND OR NOT NEAR "quoted" col:umn ^start -minus (paren) star*' });
    const questions = [
      '"',
      "NEAR(",
      "title:",
      "a AND",
      "-x",
      "*",
      "^",
      "\0",
      "'; DROP TABLE chunks",
      "👩‍🚀",
      "",
      "the of",
    ];
    for (const question of questions) expect(await found(question)).toEqual(expect.any(Array));
    expect(await found('NOT "quoted" AND (')).toEqual(["a"]);
  });

  test("words of other scripts are found", async () => {
    await put("greek", { text: "Ταχύτητα αναζήτησης" });
    await put("russian", { text: "Скорость поиска" });
    expect(await found("ταχύτητα")).toEqual(["greek"]);
    expect(await found("скорость")).toEqual(["russian"]);
  });

  test("what was replaced or deleted is not found any more", async () => {
    await put("a", { text: "marmalade" });
    await put("a", { text: "jam" });
    expect(await found("marmalade")).toEqual([]);
    expect(await found("jam")).toEqual(["a"]);
    await store.delete(DEFAULT_TENANT, "a");
    expect(await found("jam")).toEqual([]);
  });

  test("a hit found by words alone has its cosine too", async () => {
    await put("a", { text: "marmalade", vector: atCosine(0.25) });
    const [hit] = await store.search({
      tenant: DEFAULT_TENANT,
      mode: "text",
      vector: atCosine(1),
      text: "marmalade",
      top_k: 1,
    });
    expect(hit).toMatchObject({ id: "a#0", cosine: expect.closeTo(0.25, 6) });
    expect(hit!.score).toBeGreaterThan(0);
  });
});

describe("SQLite's hybrid search", () => {
  test("ranks first what both sides find, and takes what either finds", async () => {
    await put("meaning", { text: "other words", vector: atCosine(0.9) });
    await put("both", { text: "marmalade", vector: atCosine(0.8) });
    await put("words", { text: "marmalade", vector: atCosine(-0.5) });
    expect(await found("marmalade", { mode: "hybrid" })).toEqual(["both", "words", "meaning"]);
    expect(await found("marmalade", { mode: "dense" })).toEqual(["meaning", "both", "words"]);
  });

  test("is the search by meaning where no word is known", async () => {
    await put("far", { vector: atCosine(0.1) });
    await put("near", { vector: atCosine(0.9) });
    expect(await found("zyzzyva", { mode: "hybrid" })).toEqual(["near", "far"]);
  });

  test("fuses as it was opened to", async () => {
    const path = newPath();
    await store.close();
    store = openSqliteStore({ path });
    await put("a", { text: "x", vector: atCosine(0.9) });
    await put("b", { text: "marmalade", vector: atCosine(0.1) });
    await store.close();
    store = openSqliteStore({ path, fusion: { kind: "rrf", k: 10, dense_weight: 100, text_weight: 1 } });
    expect(await found("marmalade", { mode: "hybrid" })).toEqual(["a", "b"]);
  });
});

describe("SQLite's tenants", () => {
  test("see nothing of each other, on either side of a search, under the same ids", async () => {
    await put("a", { text: "marmalade of ours", tenant: "ours" });
    await put("a", { text: "marmalade of theirs", tenant: "theirs" });
    await put("b", { text: "marmalade of theirs", tenant: "theirs" });
    for (const mode of ["hybrid", "dense", "text"] as const) {
      expect(await found("marmalade", { mode, tenant: "ours" })).toEqual(["a"]);
      expect(await found("marmalade", { mode, tenant: "nobody" })).toEqual([]);
      const filter = { document_ids: ["a", "b"] };
      expect(await found("marmalade", { mode, tenant: "ours", filter })).toEqual(["a"]);
      expect(await found("marmalade", { mode, tenant: "ours", filter: { document_ids: ["b"] } })).toEqual([]);
    }
    expect((await store.passages("ours", "a", 0, 9)).map(({ text }) => text)).toEqual(["marmalade of ours"]);
    expect(await store.get("ours", "b")).toBeUndefined();
    expect((await store.documents("ours")).map(({ id }) => id)).toEqual(["a"]);
    expect(await store.delete("ours", "b")).toBe(false);
    expect(await store.delete("ours", "a")).toBe(true);
    expect((await found("marmalade", { tenant: "theirs" })).sort()).toEqual(["a", "b"]);
  });
});

describe("SQLite's filters", () => {
  beforeEach(async () => {
    await put("en 2023", { metadata: { lang: "en", year: 2023, draft: true } });
    await put("en 2024", { metadata: { lang: "en", year: 2024, draft: false } });
    await put("de 2024", { metadata: { lang: "de", year: 2024 } });
    await put("text", { metadata: { year: "2024", draft: "true", "odd $.\"name'": 'v"' } });
    await put("bare");
  });

  test.each([
    [{ lang: "en" }, ["en 2023", "en 2024"]],
    [{ lang: ["en", "de"] }, ["de 2024", "en 2023", "en 2024"]],
    [{ lang: "en", year: 2024 }, ["en 2024"]],
    [{ year: "2024" }, ["text"]],
    [{ draft: true }, ["en 2023"]],
    [{ draft: [false, "true"] }, ["en 2024", "text"]],
    [{ draft: 1 }, []],
    [{ lang: [] }, []],
    [{ "odd $.\"name'": 'v"' }, ["text"]],
    [{}, ["bare", "de 2024", "en 2023", "en 2024", "text"]],
  ])("%j finds %j, by words and by meaning", async (metadata, expected) => {
    for (const mode of ["text", "dense", "hybrid"] as const)
      expect((await found("passage", { mode, filter: { metadata } })).sort()).toEqual(expected);
  });

  test("hold together: documents and metadata", async () => {
    const filter = { document_ids: ["en 2023", "de 2024", "bare"], metadata: { lang: "en" } };
    expect(await found("passage", { filter })).toEqual(["en 2023"]);
  });

  test("go by the document as it is now", async () => {
    await put("bare", { metadata: { lang: "en" } });
    await put("en 2023");
    expect((await found("passage", { filter: { metadata: { lang: "en" } } })).sort()).toEqual([
      "bare",
      "en 2024",
    ]);
  });

  test("a hit says its document's metadata", async () => {
    const [hit] = await store.search({
      tenant: DEFAULT_TENANT,
      vector: atCosine(1),
      text: "",
      top_k: 1,
      filter: { document_ids: ["de 2024"] },
    });
    expect(hit!.metadata).toEqual({ lang: "de", year: 2024 });
  });
});

test("passages are a document's chunks from one place up to another, in order", async () => {
  const document = documentOf("a");
  const chunks = chunksOf(document, 12);
  await store.upsert(document, chunks);
  const passages = await store.passages(DEFAULT_TENANT, "a", 9, 12);
  expect(passages).toEqual(chunks.slice(9).map(({ vector: _, ...chunk }) => chunk));
  expect(await store.passages(DEFAULT_TENANT, "a", 11, 99)).toHaveLength(1);
  expect(await store.passages(DEFAULT_TENANT, "b", 0, 99)).toEqual([]);
});

test("the revision changes with every write, of any process, and with nothing else", async () => {
  const path = newPath();
  const reader = openSqliteStore({ path, readonly: true });
  const writer = openSqliteStore({ path });
  const seen = new Set<string>();
  const document = documentOf("a");
  for (const write of [
    async () => {},
    () => writer.upsert(document, []),
    () => writer.upsert(document, []),
    () => writer.upsert(document, chunksOf(document, 2)),
    () => writer.delete(DEFAULT_TENANT, "a"),
  ]) {
    await write();
    const revision = await reader.revision();
    await reader.search({ tenant: DEFAULT_TENANT, vector: unitVector(1), text: "a", top_k: 5 });
    expect(await reader.revision()).toBe(revision);
    expect(await writer.revision()).toBe(revision);
    expect(seen).not.toContain(revision);
    seen.add(revision);
  }
  expect(seen).not.toContain(await store.revision());
  await Promise.all([reader.close(), writer.close()]);
});

describe("a file of version 1", () => {
  function version1(): string {
    const path = newPath();
    const db = new Database(path, { create: true });
    db.run(VERSION_1);
    for (const id of ["b", "a"]) {
      db.query("INSERT INTO documents VALUES (?, ?, 's', 'd')").run(id, `Title of ${id}`);
      for (const position of [0, 1]) {
        const row = db
          .query(
            "INSERT INTO chunks (id, document_id, position, title, heading_path, source, text, tokens) VALUES (?, ?, ?, 't', '[\"Head\"]', 's', ?, 3)",
          )
          .run(`${id}#${position}`, id, position, `marmalade ${id} ${position}`).lastInsertRowid;
        const vector = new Uint8Array(unitVector(10 * id.charCodeAt(0) + position).buffer);
        db.query("INSERT INTO vectors VALUES (?, ?)").run(row, vector);
      }
    }
    db.close();
    return path;
  }

  test("is brought up to date by a writer, with all that is in it, as the default tenant's", async () => {
    const path = version1();
    await store.close();
    store = openSqliteStore({ path });
    expect(await store.documents(DEFAULT_TENANT)).toEqual(
      ["a", "b"].map((id) => ({ ...documentOf(id, "d"), source: "s" })),
    );
    expect(await found("marmalade", { text: "b" })).toHaveLength(4);
    const [hit] = await store.search({
      tenant: DEFAULT_TENANT,
      mode: "dense",
      vector: unitVector(10 * "b".charCodeAt(0)),
      text: "",
      top_k: 1,
    });
    expect(hit).toMatchObject({ id: "b#0", text: "marmalade b 0", heading_path: ["Head"], metadata: {} });
    await store.delete(DEFAULT_TENANT, "b");
    expect(await found("marmalade")).toEqual(["a", "a"]);
    await put("c", { text: "marmalade" });
    expect(await found("marmalade")).toContain("c");
  });

  test("is refused to a reader until then, with what to do", async () => {
    const path = version1();
    expect(() => openSqliteStore({ path, readonly: true })).toThrow(StoreError);
    expect(() => openSqliteStore({ path, readonly: true })).toThrow(/start the indexer/);
  });
});

const VERSION_1 = `
PRAGMA journal_mode = WAL;
CREATE TABLE documents (
  id     TEXT PRIMARY KEY,
  title  TEXT NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL
) STRICT;
CREATE TABLE chunks (
  row          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  document_id  TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  title        TEXT NOT NULL,
  heading_path TEXT NOT NULL,
  source       TEXT NOT NULL,
  text         TEXT NOT NULL,
  tokens       INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_of_document ON chunks (document_id);
CREATE TABLE vectors (
  chunk  INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
  vector BLOB NOT NULL CHECK (length(vector) = 1536)
) STRICT;
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id  INTEGER NOT NULL,
  op  TEXT NOT NULL CHECK (op IN ('put', 'delete'))
) STRICT;
CREATE TRIGGER log_put    AFTER INSERT ON vectors BEGIN INSERT INTO changes (id, op) VALUES (new.chunk, 'put'); END;
CREATE TRIGGER log_delete AFTER DELETE ON vectors BEGIN INSERT INTO changes (id, op) VALUES (old.chunk, 'delete'); END;
PRAGMA user_version = 1;
`;
