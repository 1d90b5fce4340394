import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { QdrantClient, type Schemas } from "@qdrant/js-client-rest";
import { DEFAULT_TENANT } from "#contracts";
import { openQdrantStore, openStore, StoreError, type VectorStore } from "#vector-store";
import { storeConformance } from "./conformance.ts";
import { chunksOf, documentOf, unitVector } from "./passages.ts";
import { failure, QdrantPeer } from "./qdrant-peer.ts";

setDefaultTimeout(60_000);

const COLLECTION = {
  vectors: { dense: { size: 384, distance: "Cosine" } },
  sparse_vectors: { text: { modifier: "idf" } },
} satisfies Schemas["CreateCollection"];

const { QDRANT_URL, QDRANT_API_KEY } = process.env;

if (QDRANT_URL) {
  let collection: string;
  storeConformance(
    "Qdrant",
    () => {
      collection = `ragline_test_${Bun.randomUUIDv7()}`;
      return openQdrantStore({ url: QDRANT_URL, api_key: QDRANT_API_KEY, collection });
    },
    () =>
      new QdrantClient({
        url: QDRANT_URL,
        apiKey: QDRANT_API_KEY,
        checkCompatibility: false,
      }).deleteCollection(collection),
  );
} else {
  console.warn(
    [
      "",
      "!".repeat(88),
      "!!  SKIPPED: the vector store's conformance suite against a real Qdrant.",
      "!!  QDRANT_URL is not set. To run it: QDRANT_URL=http://localhost:6333 bun test",
      "!".repeat(88),
      "",
    ].join("\n"),
  );
  test.skip("SKIPPED, QDRANT_URL is not set: the conformance suite against a real Qdrant", () => {});
}

describe("against a peer that speaks Qdrant's REST API", () => {
  let peer: QdrantPeer;
  storeConformance(
    "the Qdrant store",
    () => {
      peer = new QdrantPeer();
      return openQdrantStore({ url: peer.url, collection: "ragline" });
    },
    () => peer.stop(),
  );
});

describe("the Qdrant store on the wire", () => {
  let peer: QdrantPeer;
  let store: VectorStore;
  beforeEach(() => {
    peer = new QdrantPeer();
    store = openQdrantStore({ url: peer.url, collection: "ragline" });
  });
  afterEach(async () => {
    await store.close();
    await peer.stop();
  });
  const search = (top_k = 5, filter?: { document_ids: string[] }) =>
    store.search({ tenant: DEFAULT_TENANT, vector: unitVector(1), text: "", top_k, filter });

  test("the collection and its payload indexes are made on first use, once", async () => {
    await Promise.all([store.info(), search(), store.documents(DEFAULT_TENANT)]);
    const made = peer.sent("PUT", /^\/collections\/ragline$/);
    expect(made.map(({ body }) => body)).toEqual([COLLECTION]);
    expect(peer.sent("PUT", /\/index\?wait=true$/).map(({ body }) => body)).toEqual([
      { field_name: "tenant", field_schema: { type: "keyword", is_tenant: true } },
      { field_name: "document_id", field_schema: "keyword" },
      { field_name: "kind", field_schema: "keyword" },
      { field_name: "version", field_schema: "integer" },
      { field_name: "facets", field_schema: "keyword" },
    ] satisfies Schemas["CreateFieldIndex"][]);
    const again = openQdrantStore({ url: peer.url, collection: "ragline" });
    await again.info();
    expect(peer.sent("PUT", /./)).toHaveLength(6);
  });

  test("a collection that another process makes in the same moment is as good", async () => {
    peer.intercept = ({ method, path }) => {
      if (method !== "PUT" || path !== "/collections/ragline") return undefined;
      peer.collection = COLLECTION;
      return failure(409, "Wrong input: Collection `ragline` already exists!");
    };
    expect(await store.info()).toEqual({ kind: "qdrant", documents: 0, chunks: 0 });
  });

  test("a collection of other vectors is refused, with what to do", async () => {
    peer.collection = { vectors: { size: 768, distance: "Dot" } };
    await expect(store.info()).rejects.toThrow(
      /"ragline" has no vector "dense" of size 384.*set QDRANT_COLLECTION to a new name/,
    );
  });

  test("a collection from before searches by words is refused, with what to do", async () => {
    peer.collection = { vectors: COLLECTION.vectors };
    await expect(store.upsert(documentOf("a"), [])).rejects.toThrow(
      /no sparse vector "text".*set QDRANT_COLLECTION to a new name and ingest the documents again/,
    );
    expect(peer.sent("PUT", /./)).toEqual([]);
  });

  test("an upsert writes chunks by 256, then commits with the marker, and waits for each", async () => {
    const document = { ...documentOf("a"), tenant: "t", metadata: { lang: "en", year: 2024.5 } };
    await store.upsert(document, chunksOf(document, 600));
    const upserts = peer.sent("PUT", /\/points/);
    expect(upserts.map(({ path }) => path)).toEqual(Array(3).fill("/collections/ragline/points?wait=true"));
    expect(upserts.map(({ body }) => body.points.length)).toEqual([256, 256, 88]);
    const first = upserts[0]!.body.points[0];
    expect(first.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Object.keys(first.vector)).toEqual(["dense", "text"]);
    expect(first.vector.dense).toEqual(Array.from(unitVector(1)));
    const version = first.payload.version;
    expect(first.payload).toEqual({
      kind: "chunk",
      version,
      tenant: "t",
      metadata: { lang: "en", year: 2024.5 },
      facets: ['["lang","en"]', '["year",2024.5]'],
      id: "a#0",
      document_id: "a",
      title: document.title,
      heading_path: ["Part", "Section 0"],
      source: document.source,
      text: "d1 passage 0 of a",
      position: 0,
      tokens: 5,
    });

    const commits = peer.sent("POST", /\/batch/);
    expect(commits.map(({ path }) => path)).toEqual(["/collections/ragline/points/batch?wait=true"]);
    const operations: Schemas["UpdateOperation"][] = commits[0]!.body.operations;
    expect(operations.slice(1, -1)).toEqual([
      {
        upsert: {
          points: [
            {
              id: expect.any(String),
              vector: {},
              payload: { kind: "document", version, chunks: 600, ...document },
            },
          ],
          update_filter: { must: [{ key: "version", range: { lt: version } }] },
        },
      },
      {
        delete: {
          filter: {
            must: [
              { key: "tenant", match: { value: "t" } },
              { key: "kind", match: { value: "chunk" } },
              { key: "document_id", match: { value: "a" } },
              { key: "version", range: { lt: version } },
            ],
          },
        },
      },
    ] satisfies Schemas["UpdateOperation"][]);
    // The revision, before and after.
    for (const operation of [operations[0], operations.at(-1)]) {
      expect(operation).toEqual({
        upsert: {
          points: [
            {
              id: expect.any(String),
              vector: {},
              payload: { kind: "revision", revision: expect.any(String) },
            },
          ],
        },
      });
    }
    expect(operations[0]).not.toEqual(operations.at(-1));
    expect(peer.requests.at(-1)).toBe(commits[0]!);
  });

  test("a list of documents is read page by page", async () => {
    for (let i = 0; i < 3; i++) await store.upsert(documentOf(`doc ${i}`), []);
    const scrolls: unknown[] = [];
    peer.intercept = (request) => {
      if (!request.path.endsWith("/scroll")) return undefined;
      scrolls.push(request.body.offset);
      request.body.limit = 1;
      return undefined;
    };
    expect((await store.documents(DEFAULT_TENANT)).map(({ id }) => id)).toEqual(["doc 0", "doc 1", "doc 2"]);
    expect(scrolls).toEqual([undefined, expect.any(String), expect.any(String)]);
  });

  test("an upsert that fails midway leaves the old document, whole, and the next one tidies up", async () => {
    const old = documentOf("a", "old");
    await store.upsert(old, chunksOf(old, 3, 100));
    peer.intercept = ({ path }) => (path.includes("/batch") ? failure(500, "disk full") : undefined);
    const fresh = documentOf("a", "new");
    await expect(store.upsert(fresh, chunksOf(fresh, 300))).rejects.toThrow(/500: disk full/);
    peer.intercept = undefined;

    // The new chunks are nearer, and there, and not counted.
    expect((await search(5)).map(({ text }) => text.split(" ")[0])).toEqual(["old", "old", "old"]);
    expect(await store.get(DEFAULT_TENANT, "a")).toEqual(old);
    await store.upsert(fresh, chunksOf(fresh, 4));
    expect(await store.info()).toEqual({ kind: "qdrant", documents: 1, chunks: 4 });
  });

  test("a document replaced between a search's two questions is found in its new version", async () => {
    const other = openQdrantStore({ url: peer.url, collection: "ragline" });
    const old = documentOf("a", "old");
    await store.upsert(old, chunksOf(old, 3));
    const fresh = documentOf("a", "new");
    peer.intercept = async ({ method, path }) => {
      if (method !== "POST" || !path.endsWith("/points")) return undefined;
      peer.intercept = undefined;
      await other.upsert(fresh, chunksOf(fresh, 3));
      return undefined;
    };
    expect((await search(5)).map(({ text }) => text.split(" ")[0])).toEqual(["new", "new", "new"]);
  });

  test("a document deleted between a search's two questions makes room for the next best", async () => {
    const other = openQdrantStore({ url: peer.url, collection: "ragline" });
    for (const [id, seed] of [
      ["near", 1],
      ["far", 50],
    ] as const) {
      await store.upsert(documentOf(id), chunksOf(documentOf(id), 2, seed));
    }
    peer.intercept = async ({ method, path }) => {
      if (method !== "POST" || !path.endsWith("/points")) return undefined;
      peer.intercept = undefined;
      await other.delete(DEFAULT_TENANT, "near");
      return undefined;
    };
    expect((await search(2)).map(({ document_id }) => document_id)).toEqual(["far", "far"]);
  });

  test("a slower writer does not undo what a later one committed", async () => {
    const other = openQdrantStore({ url: peer.url, collection: "ragline" });
    const [slow, later] = [documentOf("a", "slow"), documentOf("a", "later")];
    peer.intercept = async ({ path, body }) => {
      if (!path.includes("/batch") || body.operations[1].upsert.points[0].payload.digest !== "slow")
        return undefined;
      peer.intercept = undefined;
      await other.upsert(later, chunksOf(later, 3));
      return undefined;
    };
    await store.upsert(slow, chunksOf(slow, 5));
    expect(await store.get(DEFAULT_TENANT, "a")).toEqual(later);
    expect((await search(10)).map(({ text }) => text.split(" ")[0])).toEqual(["later", "later", "later"]);
    expect(await store.info()).toMatchObject({ documents: 1, chunks: 3 });
  });

  test("a commit that breaks off midway has changed the revision", async () => {
    const document = documentOf("a");
    await store.upsert(document, chunksOf(document, 1));
    const before = await store.revision();
    peer.intercept = ({ path, body }) => {
      // The marker is replaced, and the server gone.
      if (path.includes("/batch")) body.operations.splice(2);
      return undefined;
    };
    const fresh = documentOf("a", "new");
    await store.upsert(fresh, chunksOf(fresh, 1));
    expect(await store.get(DEFAULT_TENANT, "a")).toEqual(fresh);
    expect(await store.revision()).not.toBe(before);
  });

  test("passages of a document that is replaced while they are read are the new version's", async () => {
    const other = openQdrantStore({ url: peer.url, collection: "ragline" });
    const [old, fresh] = [documentOf("a", "old"), documentOf("a", "new")];
    await store.upsert(old, chunksOf(old, 3));
    peer.intercept = async ({ method, path, body }) => {
      if (method !== "POST" || !path.endsWith("/points") || body.ids.length < 3) return undefined;
      peer.intercept = undefined;
      await other.upsert(fresh, chunksOf(fresh, 2));
      return undefined;
    };
    const passages = await store.passages(DEFAULT_TENANT, "a", 0, 3);
    expect(passages.map(({ text }) => text)).toEqual(["new passage 0 of a", "new passage 1 of a"]);
  });

  test("an answer that a write was taken but not applied is an error", async () => {
    peer.intercept = ({ path }) =>
      path.includes("/batch")
        ? Response.json({ result: [{ status: "wait_timeout" }], status: "ok", time: 0 })
        : undefined;
    await expect(store.upsert(documentOf("a"), [])).rejects.toThrow(/not applied in time/);
  });
});

describe("a Qdrant that does not answer as hoped", () => {
  const api_key = "very-secret-key";
  let peer: QdrantPeer;
  beforeEach(() => {
    peer = new QdrantPeer();
  });
  afterEach(() => peer.stop());

  async function failed(url = peer.url): Promise<StoreError> {
    const store = openQdrantStore({ url, api_key, collection: "ragline" });
    const error = await store
      .search({ tenant: DEFAULT_TENANT, vector: unitVector(1), text: "", top_k: 5 })
      .then(
        () => undefined,
        (error) => error,
      );
    expect(error).toBeInstanceOf(StoreError);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).toContain(`searching: Qdrant at ${url}, collection "ragline"`);
    expect(Bun.inspect(error)).not.toContain(api_key);
    return error;
  }

  test("is named when it refuses the connection", async () => {
    const { url } = peer;
    await peer.stop();
    await failed(url);
  });

  test("is used again once it answers", async () => {
    const store = openQdrantStore({ url: peer.url, collection: "ragline" });
    peer.intercept = () => failure(503, "Service Unavailable: starting");
    await expect(store.info()).rejects.toThrow(/503: Service Unavailable: starting/);
    peer.intercept = undefined;
    expect(await store.info()).toEqual({ kind: "qdrant", documents: 0, chunks: 0 });
  });

  test("sends what it says about a fault", async () => {
    peer.intercept = ({ path }) =>
      path.endsWith("/query") ? failure(500, "Service internal error: segment is broken") : undefined;
    expect((await failed()).message).toEndWith("500: Service internal error: segment is broken");
  });

  test("that wants another API key says so, and the key is shown to nobody", async () => {
    peer.intercept = () => new Response("Must provide an API key", { status: 401 });
    expect((await failed()).message).toContain("401, check the API key");
    expect(peer.requests[0]!.headers.get("api-key")).toBe(api_key);
  });
});

test("openStore opens Qdrant where its URL is given", async () => {
  const peer = new QdrantPeer();
  const store = openStore({ qdrant_url: peer.url, qdrant_collection: "c", sqlite_path: "unused.db" });
  expect((await store.info()).kind).toBe("qdrant");
  await store.close();
  await peer.stop();
});
