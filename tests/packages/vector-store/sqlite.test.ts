import { Database } from "bun:sqlite";
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore, openStore, StoreError, type VectorStore } from "#vector-store";
import { CHANGES_KEPT } from "../../../packages/vector-store/sqlite/change-log.ts";
import { storeConformance } from "./conformance.ts";
import { atCosine, chunkOf, chunksOf, documentOf, unitVector } from "./passages.ts";

setDefaultTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "ragline-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => join(folder, `${++files}`, "index.db");

storeConformance(
  "SQLite",
  () => openSqliteStore({ path: newPath() }),
  () => {},
);

const opened: VectorStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});
function open(path: string, readonly = false): VectorStore {
  const store = openSqliteStore({ path, readonly });
  opened.push(store);
  return store;
}

const nearest = (store: VectorStore, vector: Float32Array, top_k: number) =>
  store.search({ tenant: DEFAULT_TENANT, mode: "dense", vector, text: "", top_k });

/** Another process that writes `document` in versions v0, v1, ... and prints each when it is committed. */
function startWriter(path: string, chunks: number, versions: number) {
  return Bun.spawn([process.execPath, join(import.meta.dir, "writer.ts"), path, `${chunks}`, `${versions}`], {
    stdout: "pipe",
    stderr: "inherit",
  });
}

describe("SQLite's search", () => {
  test("equals brute force on 2,000 random vectors", async () => {
    const store = open(newPath());
    const document = documentOf("a");
    const chunks = chunksOf(document, 2_000);
    await store.upsert(document, chunks);
    for (let seed = 10_000; seed < 10_020; seed++) {
      const query = unitVector(seed);
      const expected = chunks
        .map(({ id, vector }) => ({ id, score: dot(vector, query) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 20);
      const hits = await nearest(store, query, 20);
      expect(hits.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      hits.forEach(({ score }, i) => {
        expect(score).toBeCloseTo(expected[i]!.score, 9);
      });
    }
  });

  test("takes the smallest ids of more equal scores than fit", async () => {
    const store = open(newPath());
    for (const id of ["d", "b", "e", "a", "c"]) {
      const document = documentOf(id);
      await store.upsert(document, [chunkOf(document, 0, atCosine(0.5))]);
    }
    const best = documentOf("z");
    await store.upsert(best, [chunkOf(best, 0, atCosine(0.9))]);
    const hits = await nearest(store, atCosine(1), 3);
    expect(hits.map(({ id }) => id)).toEqual(["z#0", "a#0", "b#0"]);
  });

  test("stays exact while documents come, change and go", async () => {
    const store = open(newPath());
    const expected = new Map<string, Float32Array>();
    for (let step = 0; step < 120; step++) {
      const document = documentOf(`doc ${(step * 7) % 13}`, `d${step}`);
      for (const id of expected.keys()) if (id.startsWith(`${document.id}#`)) expected.delete(id);
      if (step % 4 === 3) await store.delete(DEFAULT_TENANT, document.id);
      else {
        const chunks = chunksOf(document, 1 + (step % 5), step * 10);
        await store.upsert(document, chunks);
        for (const { id, vector } of chunks) expected.set(id, vector);
      }
      const query = unitVector(step);
      const hits = await nearest(store, query, 100);
      expect(hits.map(({ id }) => id).sort()).toEqual([...expected.keys()].sort());
      for (const { id, score } of hits) {
        expect(score).toBeCloseTo(dot(expected.get(id)!, query), 9);
      }
    }
  });
});

describe("SQLite between processes", () => {
  test("a document committed by another process is found by the very next search", async () => {
    const path = newPath();
    const reader = open(path, true);
    const writer = startWriter(path, 3, 4);
    let committed = 0;
    for await (const line of lines(writer.stdout)) {
      const hits = await nearest(reader, unitVector(1), 10);
      // The writer waits for nobody: what is found may be newer than what was announced, never older.
      expect(hits).toHaveLength(3);
      expect(Number(hits[0]!.text.match(/^v(\d+) /)![1])).toBeGreaterThanOrEqual(Number(line.slice(1)));
      committed++;
    }
    expect(await writer.exited).toBe(0);
    expect(committed).toBe(4);
  });

  test("readers search all the while one writer commits, and find each version whole", async () => {
    const path = newPath();
    const versions = 12;
    const readers = Array.from({ length: 2 }, () =>
      Bun.spawn([process.execPath, join(import.meta.dir, "reader.ts"), path, "60", `v${versions - 1}`], {
        stdout: "pipe",
        stderr: "inherit",
      }),
    );
    expect(await startWriter(path, 60, versions).exited).toBe(0);
    for (const reader of readers) {
      expect(await reader.exited).toBe(0);
      expect(Number(await new Response(reader.stdout).text())).toBeGreaterThan(0);
    }
  });

  test("a new document is found by another process within a second, by words and by meaning", async () => {
    const path = newPath();
    const reader = open(path, true);
    const writer = startWriter(path, 20, 1);
    await writer.exited;
    const committed = performance.now();
    for (const mode of ["text", "dense"] as const) {
      const request = { tenant: DEFAULT_TENANT, mode, vector: unitVector(1), text: "passage", top_k: 50 };
      expect(await reader.search(request)).toHaveLength(20);
    }
    expect(performance.now() - committed).toBeLessThan(1_000);
  });

  test("a document deleted through another connection is not found any more", async () => {
    const path = newPath();
    const writer = open(path);
    const reader = open(path, true);
    const document = documentOf("a");
    await writer.upsert(document, chunksOf(document, 2));
    expect(await nearest(reader, unitVector(1), 5)).toHaveLength(2);
    await writer.delete(DEFAULT_TENANT, "a");
    expect(await nearest(reader, unitVector(1), 5)).toEqual([]);
  });

  test("a writer killed at any moment leaves a file that opens and its document whole", async () => {
    const path = newPath();
    for (let kill = 0; kill < 4; kill++) {
      const writer = startWriter(path, 400, 1_000_000);
      let seen = 0;
      for await (const _ of lines(writer.stdout)) if (++seen > kill) break;
      writer.kill("SIGKILL");
      await writer.exited;
      const store = open(path);
      const { digest } = (await store.get(DEFAULT_TENANT, "document"))!;
      const hits = await nearest(store, unitVector(1), 500);
      expect(hits).toHaveLength(400);
      expect(hits.every(({ text }) => text.startsWith(`${digest} `))).toBe(true);
      const request = { tenant: DEFAULT_TENANT, mode: "text", vector: unitVector(1), top_k: 500 } as const;
      expect(await store.search({ ...request, text: digest })).toHaveLength(400);
      await store.close();
      const db = new Database(path);
      expect(db.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      db.run("INSERT INTO terms (terms) VALUES ('integrity-check')");
      db.close();
    }
  });

  test("processes that create the same file at once all succeed", async () => {
    const path = newPath();
    const writers = Array.from({ length: 4 }, () => startWriter(path, 2, 3));
    expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
    expect(await open(path).info()).toEqual({ kind: "sqlite", documents: 1, chunks: 2 });
  });

  test("a reader finds nothing before the file exists, creates nothing, and finds all after", async () => {
    const path = newPath();
    const reader = open(path, true);
    expect(await nearest(reader, unitVector(1), 5)).toEqual([]);
    expect(await reader.documents(DEFAULT_TENANT)).toEqual([]);
    expect(await reader.info()).toEqual({ kind: "sqlite", documents: 0, chunks: 0 });
    expect(existsSync(path)).toBe(false);
    const document = documentOf("a");
    await open(path).upsert(document, chunksOf(document, 2));
    expect(await nearest(reader, unitVector(1), 5)).toHaveLength(2);
    expect(await reader.get(DEFAULT_TENANT, "a")).toEqual(document);
  });

  test("a reader finds nothing in a file that its writer has not set up yet", async () => {
    const path = newPath();
    mkdirSync(join(path, ".."));
    writeFileSync(path, "");
    expect(await open(path, true).documents(DEFAULT_TENANT)).toEqual([]);
  });

  test("a store opened for reading refuses writes", async () => {
    const path = newPath();
    await open(path).upsert(documentOf("a"), []);
    const reader = open(path, true);
    await expect(reader.upsert(documentOf("b"), [])).rejects.toThrow(/opened for reading only/);
    await expect(reader.delete(DEFAULT_TENANT, "a")).rejects.toThrow(StoreError);
  });
});

describe("SQLite's change log", () => {
  const entries = (path: string) => {
    const db = new Database(path, { readonly: true });
    const row = db.query<{ n: number }, []>("SELECT count(*) AS n FROM changes").get();
    db.close();
    return row!.n;
  };

  test("does not grow for ever, and a reader that it left behind loads everything again", async () => {
    const path = newPath();
    const writer = open(path);
    const reader = open(path, true);
    const kept = documentOf("kept");
    await writer.upsert(kept, chunksOf(kept, 5));
    expect(await nearest(reader, unitVector(1), 5)).toHaveLength(5);

    await writer.delete(DEFAULT_TENANT, "kept");
    const rounds = Math.ceil(CHANGES_KEPT / 2_000) + 1;
    for (let round = 0; round < rounds; round++) {
      const document = documentOf("busy", `v${round}`);
      await writer.upsert(document, chunksOf(document, 1_000, 100));
    }
    expect(entries(path)).toBe(CHANGES_KEPT);
    const hits = await nearest(reader, unitVector(1), 2_000);
    expect(hits).toHaveLength(1_000);
    expect(hits.every(({ text }) => text.startsWith(`v${rounds - 1} `))).toBe(true);

    const next = documentOf("next");
    await writer.upsert(next, chunksOf(next, 1));
    expect((await nearest(reader, unitVector(1), 1))[0]!.id).toBe("next#0");
  });

  test("is followed exactly from its oldest entry", async () => {
    const path = newPath();
    const writer = open(path);
    const reader = open(path, true);
    await writer.upsert(documentOf("a"), []);
    expect(await nearest(reader, unitVector(1), 5)).toEqual([]);
    const document = documentOf("a");
    await writer.upsert(document, chunksOf(document, CHANGES_KEPT / 100));
    expect(await nearest(reader, unitVector(1), 500)).toHaveLength(CHANGES_KEPT / 100);
  });
});

describe("a file that cannot be used", () => {
  test("of a newer version is refused, and says which version it has", async () => {
    const path = newPath();
    await open(path).close();
    const db = new Database(path);
    db.run("PRAGMA user_version = 99");
    db.close();
    for (const readonly of [false, true]) {
      expect(() => open(path, readonly)).toThrow(StoreError);
      expect(() => open(path, readonly)).toThrow(/index\.db has schema version 99/);
    }
  });

  test("that is no database is named, with what to do", () => {
    const path = newPath();
    mkdirSync(join(path, ".."));
    writeFileSync(path, "These are notes, not a database. ".repeat(400));
    for (const readonly of [false, true]) {
      expect(() => open(path, readonly)).toThrow(StoreError);
      expect(() => open(path, readonly)).toThrow(/index\.db: the file is damaged.*ingest/);
    }
  });

  test("that is damaged inside rejects the search, and names the file", async () => {
    const path = newPath();
    const writer = open(path);
    const document = documentOf("a");
    await writer.upsert(document, chunksOf(document, 200));
    await writer.close();
    const bytes = await Bun.file(path).bytes();
    bytes.fill(0x5a, 8 * 8_192, 30 * 8_192);
    await Bun.write(path, bytes);
    const reader = open(path, true);
    await expect(nearest(reader, unitVector(1), 5)).rejects.toThrow(
      /searching .*index\.db: the file is damaged/,
    );
  });

  test("that is another program's database is left alone", () => {
    const path = newPath();
    mkdirSync(join(path, ".."));
    const db = new Database(path);
    db.run("CREATE TABLE letters (id INTEGER PRIMARY KEY)");
    db.close();
    expect(() => open(path)).toThrow(/another program's database/);
  });

  test("under a path that cannot be is named", () => {
    const file = newPath();
    mkdirSync(join(file, ".."));
    writeFileSync(file, "");
    expect(() => open(join(file, "index.db"))).toThrow(/index\.db: the file or its folder cannot be opened/);
  });
});

test("openStore opens SQLite where no Qdrant is named", async () => {
  const store = openStore({ sqlite_path: newPath(), qdrant_collection: "ragline" });
  opened.push(store);
  expect((await store.info()).kind).toBe("sqlite");
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
