import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Schemas } from "@qdrant/js-client-rest";
import {
  type Fusion,
  openQdrantStore,
  type SearchRequest,
  StoreError,
  type VectorStore,
} from "#vector-store";
import { fuse } from "../../../packages/vector-store/fusion.ts";
import { atCosine, chunkOf, chunksOf, documentOf, unitVector } from "./passages.ts";
import { QdrantPeer } from "./qdrant-peer.ts";

setDefaultTimeout(60_000);

let peer: QdrantPeer;
let store: VectorStore;
beforeEach(() => {
  peer = new QdrantPeer();
  store = open();
});
afterEach(async () => {
  await store.close();
  await peer.stop();
});

const open = (fusion?: Fusion) => openQdrantStore({ url: peer.url, collection: "ragline", fusion });
const question = { tenant: "t", vector: unitVector(1), text: "Which passages?", top_k: 2 };
const sent = () => peer.sent("POST", /\/query$/).map(({ body }) => body) as Schemas["QueryRequest"][];

/** The one query that a search sends. */
async function queryOf(request: Partial<SearchRequest>, fusion?: Fusion): Promise<Schemas["QueryRequest"]> {
  peer.requests.length = 0;
  await open(fusion).search({ ...question, ...request });
  const queries = sent();
  expect(queries).toHaveLength(1);
  return queries[0]!;
}

const must = [
  { key: "tenant", match: { value: "t" } },
  { key: "kind", match: { value: "chunk" } },
];
const payload = ["id", "document_id", "version"];
const dense: Schemas["Prefetch"] = {
  query: Array.from(question.vector),
  using: "dense",
  filter: { must },
  limit: 200,
};
/** The question's one word that is no stop word. */
const text: Schemas["Prefetch"] = {
  query: { indices: [Bun.hash.xxHash32("passag")], values: [1] },
  using: "text",
  filter: { must },
  limit: 200,
};

describe("what Qdrant is asked", () => {
  test("by default: both sides, 200 candidates each, fused by DBSF", async () => {
    expect(await queryOf({})).toEqual({
      prefetch: [dense, text],
      query: { fusion: "dbsf" },
      limit: 12,
      with_payload: payload,
    } satisfies Schemas["QueryRequest"]);
  });

  test("by reciprocal rank: with a k that counts ranks from 0", async () => {
    const fusion: Fusion = { kind: "rrf", k: 10, dense_weight: 2, text_weight: 2 };
    expect(await queryOf({}, fusion)).toMatchObject({
      prefetch: [dense, text],
      query: { rrf: { k: 11 } },
    } satisfies Schemas["QueryRequest"]);
  });

  test("with weights that differ: each side by itself, and their sum by a formula", async () => {
    const formula = {
      formula: { sum: [{ mult: [0.3, "$score[0]"] }, { mult: [0.7, "$score[1]"] }] },
      defaults: { "$score[0]": 0, "$score[1]": 0 },
    };
    const weights = { dense_weight: 0.3, text_weight: 0.7 };
    expect(await queryOf({}, { kind: "dbsf", ...weights })).toEqual({
      prefetch: [
        { prefetch: [dense], query: { fusion: "dbsf" }, limit: 200 },
        { prefetch: [text], query: { fusion: "dbsf" }, limit: 200 },
      ],
      query: formula,
      limit: 12,
      with_payload: payload,
    } satisfies Schemas["QueryRequest"]);
    expect(await queryOf({}, { kind: "rrf", k: 1, ...weights })).toEqual({
      prefetch: [
        { prefetch: [dense], query: { rrf: { k: 2 } }, limit: 200 },
        { prefetch: [text], query: { rrf: { k: 2 } }, limit: 200 },
      ],
      query: formula,
      limit: 12,
      with_payload: payload,
    } satisfies Schemas["QueryRequest"]);
  });

  test("for one side alone: that, without prefetch", async () => {
    expect(await queryOf({ mode: "dense" })).toEqual({ ...dense, limit: 12, with_payload: payload });
    expect(await queryOf({ mode: "text" })).toEqual({ ...text, limit: 12, with_payload: payload });
  });

  test("without a word in the question: the dense side alone, and nothing for words alone", async () => {
    expect((await queryOf({ text: "?!" })).prefetch).toEqual([dense]);
    peer.requests.length = 0;
    expect(await store.search({ ...question, text: "?!", mode: "text" })).toEqual([]);
    expect(sent()).toEqual([]);
  });

  test("a filter narrows each side, within the tenant", async () => {
    const filter = { document_ids: ["a", "b"], metadata: { lang: ["en", "de"], "v.1": 1.5, draft: false } };
    const narrowed = {
      must: [
        ...must,
        { key: "document_id", match: { any: ["a", "b"] } },
        { key: "facets", match: { any: ['["lang","en"]', '["lang","de"]'] } },
        { key: "facets", match: { any: ['["v.1",1.5]'] } },
        { key: "facets", match: { any: ['["draft",false]'] } },
      ],
    } satisfies Schemas["Filter"];
    const { prefetch } = await queryOf({ filter });
    expect((prefetch as Schemas["Prefetch"][]).map((side) => side.filter)).toEqual([narrowed, narrowed]);
  });

  test("an empty list in a filter asks nothing", async () => {
    for (const filter of [{ document_ids: [] }, { metadata: { lang: [] } }]) {
      expect(await store.search({ ...question, filter })).toEqual([]);
    }
    expect(sent()).toEqual([]);
  });

  test("then the chunks found and their markers, in one request", async () => {
    const document = { ...documentOf("a"), tenant: "t" };
    await store.upsert(document, chunksOf(document, 3));
    peer.requests.length = 0;
    const hits = await store.search(question);
    expect(hits).toHaveLength(2);
    expect(peer.requests.map(({ path }) => path.replace("/collections/ragline", ""))).toEqual([
      "/points/query",
      "/points",
    ]);
    expect(peer.requests[1]!.body).toEqual({
      ids: Array(3).fill(expect.any(String)),
      with_payload: true,
      with_vector: ["dense"],
    });
  });

  test("and again, without the versions that do not count, in each prefetch", async () => {
    const [old, fresh] = [documentOf("a", "old"), documentOf("a", "new")].map((document) => ({
      ...document,
      tenant: "t",
    }));
    await store.upsert(old!, chunksOf(old!, 3, 100));
    peer.intercept = ({ path }) =>
      path.includes("/batch") ? new Response("{}", { status: 500 }) : undefined;
    await store.upsert(fresh!, chunksOf(fresh!, 3)).catch(() => {});
    peer.intercept = undefined;
    peer.requests.length = 0;
    const hits = await store.search(question);
    expect(hits.map(({ text }) => text.split(" ")[0])).toEqual(["old", "old"]);
    const [first, second] = sent();
    expect(sent()).toHaveLength(2);
    expect(first!.prefetch).toEqual([dense, text]);
    for (const side of second!.prefetch as Schemas["Prefetch"][]) {
      expect(side.filter).toEqual({
        must,
        must_not: [
          {
            must: [{ key: "document_id", match: { value: "a" } }],
            must_not: [{ key: "version", match: { value: expect.any(Number) } }],
          },
        ],
      });
    }
  });
});

test("where equal scores go on beyond what was asked for, all are asked for", async () => {
  const ids = Array.from({ length: 40 }, (_, i) => `d${i}`);
  for (const id of ids) {
    const document = { ...documentOf(id), tenant: "t", title: "Same" };
    await store.upsert(document, [chunkOf(document, 0, atCosine(0.5), "the same")]);
  }
  peer.requests.length = 0;
  const hits = await store.search({ ...question, vector: atCosine(1), text: "same", top_k: 5 });
  expect(hits.map(({ document_id }) => document_id)).toEqual(ids.sort().slice(0, 5));
  expect(sent().map(({ limit }) => limit)).toEqual([15, 400]);
});

describe("the server's fusion is ours", () => {
  const weights = [
    { dense_weight: 1, text_weight: 1 },
    { dense_weight: 0.25, text_weight: 1.5 },
  ];
  const fusions: Fusion[] = weights.flatMap((weight) => [
    { kind: "dbsf" as const, ...weight },
    { kind: "rrf" as const, k: 0, ...weight },
    { kind: "rrf" as const, k: 60, ...weight },
  ]);
  test.each(fusions)("%p", async (fusion) => {
    for (let i = 0; i < 12; i++) {
      const document = { ...documentOf(`d${i}`), tenant: "t" };
      const words = `${"tea ".repeat(i % 5)} ${i % 2 ? "cup" : "pot"} ${"more words ".repeat(i)}`;
      await store.upsert(document, [chunkOf(document, 0, unitVector(i), words)]);
    }
    const request = { ...question, text: "tea cup", top_k: 50 };
    const side = async (mode: "dense" | "text") =>
      (await store.search({ ...request, mode })).map(({ document_id, score }) => ({
        row: Number(document_id.slice(1)),
        score,
      }));
    const text = await side("text");
    expect(text.length).toBeGreaterThan(4);
    const expected = new Map(
      fuse(await side("dense"), text, fusion).map(({ row, score }) => [`d${row}`, score]),
    );
    const hits = await open(fusion).search(request);
    expect(hits).toHaveLength(expected.size);
    for (const { document_id, score } of hits) expect(score).toBeCloseTo(expected.get(document_id)!, 5);
    expect(hits).toEqual(hits.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)));
  });

  test("with a k that Qdrant cannot take, it is refused at once", () => {
    for (const k of [1.5, -1, Number.NaN]) {
      const fusion: Fusion = { kind: "rrf", k, dense_weight: 1, text_weight: 1 };
      expect(() => open(fusion)).toThrow(StoreError);
    }
  });
});

describe("a chunk's words in Qdrant", () => {
  const termsOf = async (title: string, words: string) => {
    const document = { ...documentOf("a"), tenant: "t", title };
    await store.upsert(document, [{ ...chunkOf(document, 0, unitVector(1), words), heading_path: ["Tea"] }]);
    const { indices, values } = peer.sent("PUT", /\/points/).at(-1)!.body.points[0].vector.text;
    return (term: string) => values[indices.indexOf(Bun.hash.xxHash32(term))];
  };

  test("are BM25's saturated frequencies, with a title's twice", async () => {
    const value = await termsOf("Cup", "A cup of tea, and a pot.");
    const norm = 1.2 * (1 - 0.75 + (0.75 * 9) / 128);
    const saturated = (frequency: number) => (frequency * 2.2) / (frequency + norm);
    expect(value("cup")).toBeCloseTo(saturated(3), 10);
    expect(value("tea")).toBeCloseTo(saturated(2), 10);
    expect(value("pot")).toBeCloseTo(saturated(1), 10);
  });

  test("are left out where it has none", async () => {
    const document = { ...documentOf("a"), tenant: "t", title: "!" };
    await store.upsert(document, [{ ...chunkOf(document, 0, unitVector(1), "?"), heading_path: [] }]);
    const [point] = peer.sent("PUT", /\/points/).at(-1)!.body.points;
    expect(Object.keys(point.vector)).toEqual(["dense"]);
  });

  test("that a question repeats count as often", async () => {
    const { query } = await queryOf({ mode: "text", text: "tea cup tea" });
    expect(query).toEqual({ indices: ["tea", "cup"].map((term) => Bun.hash.xxHash32(term)), values: [2, 1] });
  });
});
