/**
 * The store on a Qdrant server.
 *
 * Qdrant has no transactions: it applies a large upsert in portions that searches see one by one, and an
 * earlier operation of a batch stays when a later one fails. So a document is committed by its marker point
 * (see `points.ts`).
 *
 * A write:
 * 1. reads the marker and picks a higher version;
 * 2. writes the new chunks under new ids: nobody counts them yet;
 * 3. replaces the marker, unless a higher version is there: this commits;
 * 4. takes away chunks of lower versions.
 *
 * A search asks for the nearest chunks, then for the markers of their documents. Chunks of another version
 * than their marker's are of a write under way, or left by a writer that was killed: the search is asked again
 * without them, until no marker has changed since it was read.
 *
 * What holds, on one node or replica:
 * - Results never mix two versions of a document, show one that was not committed, or drop a document because
 *   it is being replaced.
 * - A killed writer leaves the old version or the new one, whole. Its stray chunks go with the next write of
 *   that document; until then they count in `info`, and a search that meets them takes a second round.
 * - Of two writers of one document the higher version stays, whole (needs Qdrant 1.16's `update_filter`; before
 *   it, the last marker written stays, and may miss chunks that the other writer took away).
 *
 * What does not hold:
 * - A search that reads chunks before a replacement has written them all, but their marker after it, may
 *   miss chunks of the new version, provided that it met none of the old one.
 * - Results are approximate once the collection is large enough for Qdrant to index it.
 * - Which of equal scores are within `top_k` is Qdrant's choice; those returned are ordered by id.
 */
import { QdrantClient, type Schemas } from "@qdrant/js-client-rest";
import { acceptDocument, acceptVector } from "../accept.ts";
import { bestFirst, byId } from "../order.ts";
import {
  type Chunk,
  type SearchHit,
  type SearchRequest,
  type StoredDocument,
  StoreError,
  type StoreInfo,
  type VectorStore,
} from "../types.ts";
import { ensureCollection } from "./collection.ts";
import {
  type ChunkPayload,
  chunkPoint,
  chunksOf,
  DENSE,
  type DocumentPayload,
  type Filter,
  liveChunks,
  markerId,
  markerPoint,
  nextVersion,
  olderThan,
  toDocument,
  toHit,
} from "./points.ts";

/** Longest wait for one answer. A caller's deadline is a minute for everything. */
const TIMEOUT_MS = 30_000;

/** Points in one upsert: about 2.5 MB of JSON, where Qdrant takes 32. */
const UPSERT_POINTS = 256;

const SCROLL_POINTS = 1_000;

/** Rounds of one search. All but two mean that one of its documents was committed within its milliseconds. */
const SEARCH_ROUNDS = 10;

export interface QdrantStoreOptions {
  /** Base URL, `http://localhost:6333`; the port is 6333 if it names none. */
  readonly url: string;
  readonly api_key?: string;
  /** Created on first use. */
  readonly collection: string;
}

/** A store in a collection of the Qdrant server at `url`, which is first called by the first operation. */
export function openQdrantStore(options: QdrantStoreOptions): VectorStore {
  return new QdrantStore(options);
}

class QdrantStore implements VectorStore {
  #client: QdrantClient;
  #collection: string;
  /** For messages: the URL without credentials. */
  #where: string;
  #ready: Promise<void> | undefined;
  #closed = false;

  constructor({ url, api_key, collection }: QdrantStoreOptions) {
    // The version check would print to the console, and call a server that may not be up yet.
    this.#client = new QdrantClient({ url, apiKey: api_key, timeout: TIMEOUT_MS, checkCompatibility: false });
    this.#collection = collection;
    this.#where = `Qdrant at ${new URL(url).origin}, collection "${collection}"`;
  }

  async upsert(document: StoredDocument, chunks: readonly Chunk[]): Promise<void> {
    acceptDocument(document, chunks);
    await this.#call("writing a document", async () => {
      const version = nextVersion((await this.#marker(document.id))?.version);
      for (let at = 0; at < chunks.length; at += UPSERT_POINTS) {
        const points = chunks.slice(at, at + UPSERT_POINTS).map((chunk) => chunkPoint(chunk, version));
        applied(await this.#client.upsert(this.#collection, { wait: true, points }));
      }
      const marker = markerPoint(document, version);
      await this.#commit([
        { upsert: { points: [marker], update_filter: { must: [olderThan(version)] } } },
        { delete: { filter: { must: [...chunksOf(document.id), olderThan(version)] } } },
      ]);
    });
  }

  async delete(_tenant: string, document_id: string): Promise<boolean> {
    return this.#call("deleting a document", async () => {
      const marker = await this.#marker(document_id);
      if (!marker) return false;
      // A writer at work already has a higher version: its chunks stay.
      await this.#commit([
        { delete: { points: [markerId(document_id)] } },
        { delete: { filter: { must: [...chunksOf(document_id), olderThan(marker.version + 1)] } } },
      ]);
      return true;
    });
  }

  async search({ vector, top_k, filter }: SearchRequest): Promise<SearchHit[]> {
    acceptVector(vector, "the question");
    if (top_k < 1 || filter?.document_ids?.length === 0) return [];
    return this.#call("searching", async () => {
      let live = new Map<string, number | undefined>();
      for (let round = 1; round <= SEARCH_ROUNDS; round++) {
        const found = await this.#nearest(vector, top_k, liveChunks(filter?.document_ids, live));
        const before = live;
        live = await this.#versions([...before.keys(), ...found.map(({ chunk }) => chunk.document_id)]);
        const settled =
          found.every(({ chunk }) => live.get(chunk.document_id) === chunk.version) &&
          [...before].every(([document_id, version]) => live.get(document_id) === version);
        if (settled) return found.map(({ chunk, score }) => toHit(chunk, score)).sort(bestFirst);
      }
      throw new Error("the documents found kept changing; try again");
    });
  }

  async get(_tenant: string, document_id: string): Promise<StoredDocument | undefined> {
    return this.#call("reading a document", async () => {
      const marker = await this.#marker(document_id);
      return marker && toDocument(marker);
    });
  }

  async documents(_tenant: string): Promise<StoredDocument[]> {
    return this.#call("listing the documents", async () => {
      const documents: StoredDocument[] = [];
      let offset: Schemas["ScrollRequest"]["offset"];
      do {
        const page = await this.#client.scroll(this.#collection, {
          filter: ofKind("document"),
          limit: SCROLL_POINTS,
          offset,
          with_payload: true,
        });
        for (const { payload } of page.points)
          documents.push(toDocument(payload as unknown as DocumentPayload));
        offset = page.next_page_offset as typeof offset;
      } while (offset !== undefined && offset !== null);
      return documents.sort(byId);
    });
  }

  /** While a document is being replaced, its old and new chunks both count. */
  async info(): Promise<StoreInfo> {
    return this.#call("counting", async () => {
      const [documents, chunks] = await Promise.all(
        (["document", "chunk"] as const).map((kind) =>
          this.#client.count(this.#collection, { filter: ofKind(kind), exact: true }),
        ),
      );
      return { kind: "qdrant", documents: documents!.count, chunks: chunks!.count };
    });
  }

  async passages(): Promise<never> {
    throw new StoreError(`${this.#where}: passages are not read from it yet`);
  }

  async revision(): Promise<never> {
    throw new StoreError(`${this.#where}: its revision is not known yet`);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #nearest(vector: Float32Array, limit: number, filter: Filter) {
    const { points } = await this.#client.query(this.#collection, {
      query: Array.from(vector),
      using: DENSE,
      filter,
      limit,
      with_payload: true,
    });
    return points.map(({ payload, score }) => ({ chunk: payload as unknown as ChunkPayload, score }));
  }

  async #marker(document_id: string): Promise<DocumentPayload | undefined> {
    return (await this.#markers([document_id]))[0];
  }

  /** The version that counts of each document; `undefined` of those that are not there. */
  async #versions(document_ids: readonly string[]): Promise<Map<string, number | undefined>> {
    const versions = new Map<string, number | undefined>(document_ids.map((id) => [id, undefined]));
    for (const { id, version } of await this.#markers([...versions.keys()])) versions.set(id, version);
    return versions;
  }

  async #markers(document_ids: readonly string[]): Promise<DocumentPayload[]> {
    if (document_ids.length === 0) return [];
    const points = await this.#client.retrieve(this.#collection, {
      ids: document_ids.map(markerId),
      with_payload: true,
    });
    return points.map(({ payload }) => payload as unknown as DocumentPayload);
  }

  /** Applied in order; if one fails, those before it stay. */
  async #commit(operations: Schemas["UpdateOperation"][]): Promise<void> {
    const results = await this.#client.batchUpdate(this.#collection, { wait: true, operations });
    for (const result of results) applied(result);
  }

  /** Every operation's one way to the server: ready first, and a StoreError for whatever goes wrong. */
  async #call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError(`${this.#where}: the store is closed`);
    try {
      this.#ready ??= ensureCollection(this.#client, this.#collection);
      await this.#ready;
      return await work();
    } catch (error) {
      // The server may have been down, or the collection dropped: the next operation looks again.
      this.#ready = undefined;
      if (error instanceof StoreError) throw error;
      throw new StoreError(`${doing}: ${this.#where}: ${reason(error)}`, { cause: error });
    }
  }
}

function ofKind(kind: "document" | "chunk"): Filter {
  return { must: [{ key: "kind", match: { value: kind } }] };
}

/** `wait: true` answers when the change can be read, or, under load, that it cannot be yet. */
function applied(result: Schemas["UpdateResult"]): void {
  if (result.status === "wait_timeout")
    throw new Error("the change was taken but not applied in time; try again");
}

/** Qdrant's own words where it gave some: the client's message is the bare status text. */
function reason(error: unknown): string {
  const { status, data, message } = error as Error & {
    status?: number;
    data?: { status?: { error?: string } };
  };
  if (status === undefined) return message;
  const said = data?.status?.error ?? message;
  if (status === 401 || status === 403) return `${status}, check the API key: ${said}`;
  return `${status}: ${said}`;
}
