import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore, type SearchRequest, StoreError, type VectorStore } from "#vector-store";
import { SearchCache } from "../../../apps/retriever/search-cache.ts";
import { chunksOf, documentOf, unitVector } from "../../packages/vector-store/passages.ts";

setDefaultTimeout(60_000); // the first search may have to build the vector scan

const folder = mkdtempSync(join(tmpdir(), "ragline-search-cache-"));
let writer: VectorStore;
let reader: VectorStore;
let files = 0;
beforeEach(async () => {
  await writer?.close();
  await reader?.close();
  const path = join(folder, `${++files}.sqlite`);
  writer = openSqliteStore({ path });
  await put("a");
  reader = openSqliteStore({ path, readonly: true });
});
afterAll(async () => {
  await writer.close();
  await reader.close();
  rmSync(folder, { recursive: true, force: true });
});

const put = (id: string, more = {}) => {
  const document = { ...documentOf(id), ...more };
  return writer.upsert(document, chunksOf(document, 3));
};
const question: SearchRequest = {
  tenant: DEFAULT_TENANT,
  vector: unitVector(1),
  text: "passage",
  top_k: 10,
};
const documents = async (cache: SearchCache, request = question) => {
  return [...new Set((await cache.hits(request)).map((hit) => hit.document_id))].sort();
};
const fromCache = async (cache: SearchCache) => {
  const { values } = await cache.metric.get();
  return values.find(({ labels }) => labels.origin === "cache")!.value;
};

test("a search that is repeated is not made again", async () => {
  const cache = new SearchCache(reader, 10);
  const first = await cache.hits(question);
  expect(await cache.hits({ ...question })).toEqual([...first]);
  expect(await fromCache(cache)).toBe(1);
});

describe("no answer outlives a change of the corpus:", () => {
  test("a document that another process adds is found at once", async () => {
    const cache = new SearchCache(reader, 10);
    expect(await documents(cache)).toEqual(["a"]);
    await put("b");
    expect(await documents(cache)).toEqual(["a", "b"]);
  });

  test("one that is replaced is found as it is", async () => {
    const cache = new SearchCache(reader, 10);
    await cache.hits(question);
    await put("a", { digest: "d2" });
    const [hit] = await cache.hits(question);
    expect(hit!.text).toStartWith("d2");
  });

  test("one that is deleted is not found", async () => {
    const cache = new SearchCache(reader, 10);
    await cache.hits(question);
    await writer.delete(DEFAULT_TENANT, "a");
    expect(await documents(cache)).toEqual([]);
  });

  test("nor does one that was under way when it changed", async () => {
    let underWay = () => {};
    let goOn = () => {};
    const searching = new Promise<void>((resolve) => {
      underWay = resolve;
    });
    const written = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let first = true;
    const slow = {
      revision: () => reader.revision(),
      search: async (request: SearchRequest) => {
        const hits = await reader.search(request);
        if (first) {
          first = false;
          underWay();
          await written;
        }
        return hits;
      },
    };
    const cache = new SearchCache(slow, 10);
    const old = cache.hits(question);
    await searching;
    await put("b");
    expect(await documents(cache, { ...question, top_k: 9 })).toEqual(["a", "b"]);
    goOn();
    await old;
    expect(await documents(cache)).toEqual(["a", "b"]);
  });
});

test.each<[string, Partial<SearchRequest>]>([
  ["tenant", { tenant: "somebody-else" }],
  ["question", { text: "other" }],
  ["vector, as another model makes it", { vector: unitVector(2) }],
  ["number of sources", { top_k: 1 }],
  ["filter", { filter: { document_ids: [] } }],
])("a search by another %s is another search", async (_, other) => {
  const cache = new SearchCache(reader, 10);
  await cache.hits(question);
  expect(await cache.hits({ ...question, ...other })).toEqual(await reader.search({ ...question, ...other }));
  expect(await fromCache(cache)).toBe(0);
});

test("no more are kept than asked for, and none for 0", async () => {
  const one = new SearchCache(reader, 1);
  for (const text of ["one", "two", "one"]) await one.hits({ ...question, text });
  expect(await fromCache(one)).toBe(0);
  const none = new SearchCache(reader, 0);
  for (let i = 0; i < 2; i++) await none.hits(question);
  expect(await fromCache(none)).toBe(0);
});

test("a store that does not tell its revision is searched each time", async () => {
  const silent = {
    search: (request: SearchRequest) => reader.search(request),
    revision: async () => {
      throw new StoreError("not known");
    },
  };
  const cache = new SearchCache(silent, 10);
  for (let i = 0; i < 2; i++) expect(await documents(cache)).toEqual(["a"]);
  expect(await fromCache(cache)).toBe(0);
});
