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
 * A search (`search.ts`) counts only the chunks that their marker counts.
 *
 * What holds, on one node or replica:
 * - Results never mix two versions of a document, show one that was not committed, or drop a document because
 *   it is being replaced.
 * - A killed writer leaves the old version or the new one, whole. Its stray chunks go with the next write of
 *   that document; until then they count in `info`, and a search that meets them takes a second round.
 * - Of two writers of one document the higher version stays, whole (needs Qdrant 1.16's `update_filter`; before
 *   it, the last marker written stays, and may miss chunks that the other writer took away).
 * - An equal revision means that no document was committed or deleted. It would fail to change only if the server
 *   died between two operations of one batch.
 *
 * What does not hold:
 * - A search that reads chunks before a replacement has written them all, but their marker after it, may
 *   miss chunks of the new version, provided that it met none of the old one.
 * - Results are approximate once the collection is large enough for Qdrant to index it.
 * - Which of equal scores are among a side's 200 candidates is Qdrant's choice, and with it their ranks for RRF;
 *   those that come to the fusion's top are ordered by id.
 * - How rare a word is Qdrant counts over all tenants of a shard, chunks of a write under way included, which may
 *   also be among a side's candidates; and it may be late to notice what was deleted. So fused scores, and scores
 *   by words, move a little without a new revision.
 * - In a collection of several shards, weights that differ are applied shard by shard.
 */
import { QdrantClient, type Schemas } from "@qdrant/js-client-rest";
import { acceptDocument, acceptVector } from "../accept.ts";
import { termsOf } from "../chunk-terms.ts";
import { byId } from "../order.ts";
import {
  type Chunk,
  DEFAULT_FUSION,
  type Fusion,
  type SearchHit,
  type SearchRequest,
  type StoredDocument,
  StoreError,
  type StoreInfo,
  type VectorStore,
} from "../types.ts";
import { type Collection, ensureCollection, readPoints } from "./collection.ts";
import { chunksOf, ofKind, ofTenant, olderThan } from "./filters.ts";
import { acceptFusion } from "./fused-query.ts";
import {
  type ChunkPayload,
  chunkId,
  chunkPoint,
  type DocumentPayload,
  markerId,
  markerPoint,
  nextVersion,
  REVISION_ID,
  type RevisionPayload,
  revisionPoint,
  toDocument,
  toPassage,
} from "./points.ts";
import { searchLive } from "./search.ts";

/** Longest wait for one answer. A caller's deadline is a minute for everything. */
const TIMEOUT_MS = 30_000;

/** Points in one upsert: about 3 MB of JSON, where Qdrant takes 32. */
const UPSERT_POINTS = 256;

/** Points in one answer of a list. */
const READ_POINTS = 1_000;

export interface QdrantStoreOptions {
  /** Base URL, `http://localhost:6333`; the port is 6333 if it names none. */
  readonly url: string;
  readonly api_key?: string;
  /** Created on first use. */
  readonly collection: string;
  /** How a hybrid search ranks. Default: `DEFAULT_FUSION`. */
  readonly fusion?: Fusion;
}

/**
 * A store in a collection of the Qdrant server at `url`, which is first called by the first operation.
 * @throws StoreError if Qdrant has no such fusion.
 */
export function openQdrantStore(options: QdrantStoreOptions): VectorStore {
  return new QdrantStore(options);
}

class QdrantStore implements VectorStore {
  #collection: Collection;
  #fusion: Fusion;
  /** For messages: the URL without credentials. */
  #where: string;
  #ready: Promise<void> | undefined;
  #closed = false;

  constructor({ url, api_key, collection, fusion = DEFAULT_FUSION }: QdrantStoreOptions) {
    acceptFusion(fusion);
    // The version check would print to the console, and call a server that may not be up yet.
    const client = new QdrantClient({ url, apiKey: api_key, timeout: TIMEOUT_MS, checkCompatibility: false });
    this.#collection = { client, name: collection };
    this.#fusion = fusion;
    this.#where = `Qdrant at ${new URL(url).origin}, collection "${collection}"`;
  }

  async upsert(document: StoredDocument, chunks: readonly Chunk[]): Promise<void> {
    acceptDocument(document, chunks);
    const { tenant, id } = document;
    await this.#call("writing a document", async () => {
      const { client, name } = this.#collection;
      const version = nextVersion((await this.#marker(tenant, id))?.version);
      const terms = termsOf(chunks);
      for (let at = 0; at < chunks.length; at += UPSERT_POINTS) {
        const points = chunks
          .slice(at, at + UPSERT_POINTS)
          .map((chunk, i) => chunkPoint(document, chunk, terms[at + i]!, version));
        applied(await client.upsert(name, { wait: true, points }));
      }
      const marker = markerPoint(document, version, chunks.length);
      await this.#commit([
        { upsert: { points: [marker], update_filter: { must: [olderThan(version)] } } },
        { delete: { filter: { must: [...chunksOf(tenant, id), olderThan(version)] } } },
      ]);
    });
  }

  async delete(tenant: string, document_id: string): Promise<boolean> {
    return this.#call("deleting a document", async () => {
      const marker = await this.#marker(tenant, document_id);
      if (!marker) return false;
      // A writer at work already has a higher version: its chunks stay.
      await this.#commit([
        { delete: { points: [markerId(tenant, document_id)] } },
        { delete: { filter: { must: [...chunksOf(tenant, document_id), olderThan(marker.version + 1)] } } },
      ]);
      return true;
    });
  }

  async search(request: SearchRequest): Promise<SearchHit[]> {
    acceptVector(request.vector, "the question");
    if (request.top_k < 1) return [];
    return this.#call("searching", () => searchLive(this.#collection, this.#fusion, request));
  }

  async get(tenant: string, document_id: string): Promise<StoredDocument | undefined> {
    return this.#call("reading a document", async () => {
      const marker = await this.#marker(tenant, document_id);
      return marker && toDocument(marker);
    });
  }

  async passages(tenant: string, document_id: string, from: number, to: number) {
    return this.#call("reading passages", async () => {
      const first = Math.max(0, from);
      let marker = await this.#marker(tenant, document_id);
      while (marker) {
        const { version, chunks } = marker;
        const ids = Array.from({ length: Math.max(0, Math.min(to, chunks) - first) }, (_, i) =>
          chunkId(tenant, document_id, version, first + i),
        );
        const points = await readPoints(this.#collection, ids);
        if (points.size < ids.length) marker = await this.#marker(tenant, document_id);
        // Some were missing, since the document was replaced or deleted meanwhile.
        if (marker?.version !== version) continue;
        return ids.flatMap((id) => {
          const payload = points.get(id)?.payload;
          return payload ? [toPassage(payload as unknown as ChunkPayload)] : [];
        });
      }
      return [];
    });
  }

  async documents(tenant: string): Promise<StoredDocument[]> {
    return this.#call("listing the documents", async () => {
      const { client, name } = this.#collection;
      const documents: StoredDocument[] = [];
      let offset: Schemas["ScrollRequest"]["offset"];
      do {
        const page = await client.scroll(name, {
          filter: { must: [ofTenant(tenant), ofKind("document")] },
          limit: READ_POINTS,
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

  /** "none" until the first write. */
  async revision(): Promise<string> {
    return this.#call("reading the revision", async () => {
      const point = (await readPoints(this.#collection, [REVISION_ID])).get(REVISION_ID);
      return (point?.payload as RevisionPayload | undefined)?.revision ?? "none";
    });
  }

  /** While a document is being replaced, its old and new chunks both count. */
  async info(): Promise<StoreInfo> {
    return this.#call("counting", async () => {
      const { client, name } = this.#collection;
      const [documents, chunks] = await Promise.all(
        (["document", "chunk"] as const).map((kind) =>
          client.count(name, { filter: { must: [ofKind(kind)] }, exact: true }),
        ),
      );
      return { kind: "qdrant", documents: documents!.count, chunks: chunks!.count };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async #marker(tenant: string, document_id: string): Promise<DocumentPayload | undefined> {
    const id = markerId(tenant, document_id);
    return (await readPoints(this.#collection, [id])).get(id)?.payload as DocumentPayload | undefined;
  }

  /**
   * Applied in order; if one fails, those before it stay. The revision changes before and after: whoever reads it
   * in between reads it anew once all is done, and it is new even if the connection breaks midway.
   */
  async #commit(operations: Schemas["UpdateOperation"][]): Promise<void> {
    const { client, name } = this.#collection;
    const changed = () => ({ upsert: { points: [revisionPoint()] } });
    const results = await client.batchUpdate(name, {
      wait: true,
      operations: [changed(), ...operations, changed()],
    });
    for (const result of results) applied(result);
  }

  /** Every operation's one way to the server: ready first, and a StoreError for whatever goes wrong. */
  async #call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError(`${this.#where}: the store is closed`);
    try {
      this.#ready ??= ensureCollection(this.#collection);
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
