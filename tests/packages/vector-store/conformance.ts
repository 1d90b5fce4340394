/** What every vector store promises, whichever it is. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { DEFAULT_TENANT } from "#contracts";
import { type SearchHit, StoreError, type VectorStore } from "#vector-store";
import { searchConformance } from "./conformance-search.ts";
import { atCosine, chunkOf, chunksOf, documentOf, unitVector } from "./passages.ts";

/** `open` gives an empty store each time; `cleanUp` takes it away again, after it was closed. */
export function storeConformance(
  name: string,
  open: () => VectorStore | Promise<VectorStore>,
  cleanUp: () => unknown,
) {
  describe(name, () => {
    let store: VectorStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store.close();
      await cleanUp();
    });

    const search = (vector: Float32Array, top_k: number, document_ids?: string[]) =>
      store.search({
        tenant: DEFAULT_TENANT,
        mode: "dense",
        vector,
        text: "a question",
        top_k,
        filter: document_ids && { document_ids },
      });
    const ids = (hits: SearchHit[]) => hits.map(({ id }) => id);

    test("an empty store finds nothing, lists nothing and counts nothing", async () => {
      expect(await search(unitVector(1), 5)).toEqual([]);
      expect(await store.documents(DEFAULT_TENANT)).toEqual([]);
      expect(await store.get(DEFAULT_TENANT, "a")).toBeUndefined();
      expect(await store.delete(DEFAULT_TENANT, "a")).toBe(false);
      expect(await store.info()).toMatchObject({ documents: 0, chunks: 0 });
    });

    test("the nearest chunks come best first, scored by their cosine", async () => {
      const document = documentOf("a");
      const cosines = [0.2, 0.9, -0.5, 0.6, 1];
      await store.upsert(
        document,
        cosines.map((cosine, i) => chunkOf(document, i, atCosine(cosine))),
      );
      const hits = await search(atCosine(1), 4);
      expect(ids(hits)).toEqual(["a#4", "a#1", "a#3", "a#0"]);
      [1, 0.9, 0.6, 0.2].forEach((cosine, i) => {
        expect(hits[i]!.score).toBeCloseTo(cosine, 5);
      });
    });

    test("a hit is the chunk as it was stored, with its score in place of its vector", async () => {
      const document = documentOf("a");
      const chunk = chunkOf(document, 0, unitVector(3));
      await store.upsert(document, [chunk]);
      const [hit] = await search(unitVector(3), 1);
      const { vector: _, ...stored } = chunk;
      expect(hit).toEqual({
        ...stored,
        score: expect.closeTo(1, 5),
        cosine: expect.closeTo(1, 5),
        metadata: {},
      });
    });

    test("no more than top_k are found, and no more than there are", async () => {
      const document = documentOf("a");
      await store.upsert(document, chunksOf(document, 10));
      expect(await search(unitVector(1), 1)).toHaveLength(1);
      expect(await search(unitVector(1), 7)).toHaveLength(7);
      expect(await search(unitVector(1), 50)).toHaveLength(10);
    });

    test("equal scores are ordered by id", async () => {
      for (const id of ["c", "a", "b"]) {
        const document = documentOf(id);
        await store.upsert(document, [chunkOf(document, 0, atCosine(0.5))]);
      }
      expect(ids(await search(atCosine(1), 5))).toEqual(["a#0", "b#0", "c#0"]);
    });

    test("a new version replaces the document and all its chunks", async () => {
      const old = documentOf("a", "old");
      await store.upsert(old, chunksOf(old, 6));
      const other = documentOf("b");
      await store.upsert(other, chunksOf(other, 1, 50));
      const fresh = { ...documentOf("a", "new"), title: "Another title" };
      await store.upsert(fresh, chunksOf(fresh, 3, 20));

      const hits = await search(unitVector(1), 50);
      expect(ids(hits).sort()).toEqual(["a#0", "a#1", "a#2", "b#0"]);
      expect(hits.filter(({ document_id }) => document_id === "a").map(({ title }) => title)).toEqual(
        Array(3).fill("Another title"),
      );
      expect(await store.get(DEFAULT_TENANT, "a")).toEqual(fresh);
      expect(await store.info()).toMatchObject({ documents: 2, chunks: 4 });
    });

    test("the same document written again is there once", async () => {
      const document = documentOf("a");
      await store.upsert(document, chunksOf(document, 3));
      await store.upsert(document, chunksOf(document, 3));
      expect(await store.info()).toMatchObject({ documents: 1, chunks: 3 });
      expect(await search(unitVector(1), 50)).toHaveLength(3);
    });

    test("a deleted document is gone with its chunks, and the others stay", async () => {
      const [a, b] = [documentOf("a"), documentOf("b")];
      await store.upsert(a, chunksOf(a, 3));
      await store.upsert(b, chunksOf(b, 2, 30));
      expect(await store.delete(DEFAULT_TENANT, "a")).toBe(true);
      expect(await store.delete(DEFAULT_TENANT, "a")).toBe(false);
      expect(await store.get(DEFAULT_TENANT, "a")).toBeUndefined();
      expect(ids(await search(unitVector(1), 50)).sort()).toEqual(["b#0", "b#1"]);
      expect(await store.info()).toMatchObject({ documents: 1, chunks: 2 });
    });

    test("a deleted document can be written again", async () => {
      const document = documentOf("a");
      await store.upsert(document, chunksOf(document, 3));
      await store.delete(DEFAULT_TENANT, "a");
      await store.upsert(document, chunksOf(document, 2, 9));
      expect(ids(await search(unitVector(9), 50))).toEqual(["a#0", "a#1"]);
    });

    test("documents are listed in order of their ids", async () => {
      const all = ["b", "a/x", "é", "Z", "a", "日本"].map((id) => documentOf(id, `digest of ${id}`));
      for (const document of all) await store.upsert(document, chunksOf(document, 1));
      expect(await store.documents(DEFAULT_TENANT)).toEqual(all.toSorted((x, y) => (x.id < y.id ? -1 : 1)));
    });

    test("a document without chunks is remembered, and loses the chunks it had", async () => {
      const empty = documentOf("empty");
      await store.upsert(empty, []);
      expect(await store.get(DEFAULT_TENANT, "empty")).toEqual(empty);
      expect(await store.documents(DEFAULT_TENANT)).toEqual([empty]);
      expect(await search(unitVector(1), 5)).toEqual([]);
      await store.upsert(empty, chunksOf(empty, 2));
      await store.upsert(empty, []);
      expect(await search(unitVector(1), 5)).toEqual([]);
      expect(await store.info()).toMatchObject({ documents: 1, chunks: 0 });
      expect(await store.delete(DEFAULT_TENANT, "empty")).toBe(true);
    });

    test("a filter keeps a search to the documents it names", async () => {
      for (const id of ["a", "b", "c"]) {
        const document = documentOf(id);
        await store.upsert(document, chunksOf(document, 3, id.charCodeAt(0)));
      }
      const hits = await search(unitVector("a".charCodeAt(0)), 50, ["b", "c", "nowhere"]);
      expect(ids(hits).sort()).toEqual(["b#0", "b#1", "b#2", "c#0", "c#1", "c#2"]);
      expect(await search(unitVector(1), 50, [])).toEqual([]);
    });

    test("text comes back as it went in, whatever its script", async () => {
      const document = { ...documentOf('naïve/日本語 "№1" 🧭'), title: "Ünïcödé 'quoted' — 検索" };
      const text = "Ａ e\u0301 é ﬀ 👩‍🚀 עברית العربية \u0000 \\ \" ' ; DROP TABLE chunks --\n\ttab";
      await store.upsert(document, [chunkOf(document, 0, unitVector(1), text)]);
      const [hit] = await search(unitVector(1), 1, [document.id]);
      expect(hit).toMatchObject({ text, title: document.title, document_id: document.id });
      expect(await store.get(DEFAULT_TENANT, document.id)).toEqual(document);
    });

    test("a document of 1,000 chunks is stored, found and replaced whole", async () => {
      const large = documentOf("large");
      await store.upsert(large, chunksOf(large, 1_000));
      expect(await store.info()).toMatchObject({ documents: 1, chunks: 1_000 });
      for (const seed of [1, 257, 1_000]) {
        expect(ids(await search(unitVector(seed), 1))).toEqual([`large#${seed - 1}`]);
      }
      const next = documentOf("large", "d2");
      await store.upsert(next, chunksOf(next, 600, 5_000));
      expect(await store.info()).toMatchObject({ documents: 1, chunks: 600 });
      const hits = await search(unitVector(1), 50);
      expect(hits).toHaveLength(50);
      expect(hits.every(({ text }) => text.startsWith("d2 "))).toBe(true);
    });

    test("searches made while a document is replaced see one version of it, whole", async () => {
      const versions = Array.from({ length: 12 }, (_, i) => documentOf("a", `v${i}`));
      await store.upsert(versions[0]!, chunksOf(versions[0]!, 40));
      let writing = true;
      const writer = (async () => {
        for (const version of versions) await store.upsert(version, chunksOf(version, 40));
        writing = false;
      })();
      while (writing) {
        const hits = await search(unitVector(1), 50);
        expect(hits).toHaveLength(40);
        expect(new Set(hits.map(({ text }) => text.split(" ")[0])).size).toBe(1);
        await new Promise(setImmediate);
      }
      await writer;
    });

    test("two writers of one document leave one of the two versions, whole", async () => {
      const [first, second] = [documentOf("a", "first"), documentOf("a", "second")];
      await Promise.all([
        store.upsert(first, chunksOf(first, 300)),
        store.upsert(second, chunksOf(second, 300)),
      ]);
      const winner = (await store.get(DEFAULT_TENANT, "a"))!.digest;
      for (const seed of [1, 150, 300]) {
        const hits = await search(unitVector(seed), 50);
        expect(hits).toHaveLength(50);
        expect(hits.every(({ text }) => text.startsWith(`${winner} `))).toBe(true);
        expect(hits[0]!.id).toBe(`a#${seed - 1}`);
      }
    });

    test("passages are a document's chunks from one place up to another, in order", async () => {
      const document = documentOf("a");
      const chunks = chunksOf(document, 7);
      await store.upsert(document, chunks.toReversed());
      const passages = chunks.map(({ vector: _, ...passage }) => passage);
      const read = (from: number, to: number) => store.passages(DEFAULT_TENANT, "a", from, to);
      expect(await read(2, 5)).toEqual(passages.slice(2, 5));
      expect(await read(0, 1)).toEqual(passages.slice(0, 1));
      expect(await read(-3, 2)).toEqual(passages.slice(0, 2));
      expect(await read(5, 1_000_000)).toEqual(passages.slice(5));
      expect(await read(0, Number.MAX_SAFE_INTEGER)).toEqual(passages);
      for (const [from, to] of [
        [7, 9],
        [3, 3],
        [5, 2],
      ] as const) {
        expect(await read(from, to)).toEqual([]);
      }
      expect(await store.passages(DEFAULT_TENANT, "b", 0, 5)).toEqual([]);

      const fresh = documentOf("a", "new");
      await store.upsert(fresh, chunksOf(fresh, 2));
      expect((await read(0, 9)).map(({ text }) => text)).toEqual([
        "new passage 0 of a",
        "new passage 1 of a",
      ]);
      await store.delete(DEFAULT_TENANT, "a");
      expect(await read(0, 9)).toEqual([]);
    });

    test("the revision changes with every write, and only then", async () => {
      const seen = new Set<string>();
      const changes = async () => {
        const revision = await store.revision();
        const changed = !seen.has(revision);
        seen.add(revision);
        return changed;
      };
      expect(await changes()).toBe(true);
      expect(await changes()).toBe(false);
      const document = documentOf("a");
      for (const write of [
        () => store.upsert(document, chunksOf(document, 2)),
        () => store.upsert(document, chunksOf(document, 2)),
        () => store.upsert({ ...document, tenant: "another" }, []),
        () => store.delete("another", "a"),
        () => store.delete(DEFAULT_TENANT, "a"),
        () => store.upsert(document, []),
      ]) {
        await write();
        expect(await changes()).toBe(true);
      }
      await store.delete(DEFAULT_TENANT, "nothing");
      await store.delete("nobody", "a");
      await search(unitVector(1), 5);
      await store.get(DEFAULT_TENANT, "a");
      await store.passages(DEFAULT_TENANT, "a", 0, 5);
      await store.documents(DEFAULT_TENANT);
      await store.info();
      const refused = [chunkOf(document, 0, new Float32Array(3))];
      await expect(store.upsert(document, refused)).rejects.toThrow(StoreError);
      expect(await changes()).toBe(false);
    });

    searchConformance(() => store);

    test("a vector of the wrong length is refused, and nothing is written", async () => {
      const document = documentOf("a");
      const short = chunkOf(document, 1, new Float32Array(3));
      const chunks = [...chunksOf(document, 1), short];
      await expect(store.upsert(document, chunks)).rejects.toThrow(StoreError);
      await expect(search(new Float32Array(3), 5)).rejects.toThrow(/3 values where 384/);
      expect(await store.get(DEFAULT_TENANT, "a")).toBeUndefined();
    });

    test("another document's chunk is refused", async () => {
      const stray = chunksOf(documentOf("b"), 1);
      await expect(store.upsert(documentOf("a"), stray)).rejects.toThrow(/belongs to document "b"/);
    });

    test("a closed store refuses every operation, and may be closed again", async () => {
      await store.close();
      await store.close();
      const attempts = [
        () => store.upsert(documentOf("a"), []),
        () => store.delete(DEFAULT_TENANT, "a"),
        () => search(unitVector(1), 1),
        () => store.get(DEFAULT_TENANT, "a"),
        () => store.documents(DEFAULT_TENANT),
        () => store.passages(DEFAULT_TENANT, "a", 0, 1),
        () => store.revision(),
        () => store.info(),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toThrow(StoreError);
    });
  });
}
