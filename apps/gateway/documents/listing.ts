/** A tenant's documents, page by page: those in the store and those that are on their way, by id in order of bytes. */
import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import type { DocumentStatus, DocumentsPage } from "#contracts";
import { invalidRequest, redisAway } from "./errors.ts";
import forget from "./lua/forget.lua" with { type: "text" };
import { fromStore, type StatusSources, statusesOf } from "./status.ts";

/** Tenants whose ids are kept while their store stays as it is: a reader goes from page to page. */
const KEPT_TENANTS = 8;
/** Ids of deleted documents pass by without filling a page; at some point a short page is better than a slow one. */
const MOST_ROUNDS = 10;

type ListingRedis = Redis & {
  documentForget(list: string, record: string, document_id: string): Promise<number>;
};

export class Listing {
  readonly #redis: ListingRedis;
  readonly #stored = new LRUCache<string, { revision: string; ids: readonly string[] }>({
    max: KEPT_TENANTS,
  });

  constructor(private readonly sources: StatusSources) {
    sources.redis.defineCommand("documentForget", { lua: forget, numberOfKeys: 2 });
    this.#redis = sources.redis as ListingRedis;
  }

  /** @throws HttpError 400 for a cursor that is none, 503 where Redis or the store cannot be read. */
  async page(tenant: string, limit: number, cursor: string | undefined): Promise<DocumentsPage> {
    const documents: DocumentStatus[] = [];
    let after = cursor === undefined ? "" : readCursor(cursor);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const wanted = limit - documents.length;
      const ids = await this.#idsAfter(tenant, after, wanted + 1);
      const some = ids.slice(0, wanted);
      const statuses = await statusesOf(this.sources, tenant, some);
      for (const [i, status] of statuses.entries()) {
        if (status) documents.push(status);
        else this.#forget(tenant, some[i]!);
      }
      if (ids.length <= wanted) return { documents };
      after = some.at(-1)!;
      if (documents.length === limit) break;
    }
    return { documents, next_cursor: Buffer.from(after).toString("base64url") };
  }

  async #idsAfter(tenant: string, after: string, count: number): Promise<string[]> {
    const { redis, names } = this.sources;
    const start = after === "" ? "-" : `(${after}`;
    const [underway, stored] = await Promise.all([
      redis.zrangebylex(names.documents(tenant), start, "+", "LIMIT", 0, count).catch((error) => {
        throw redisAway(error);
      }),
      this.#storedIds(tenant),
    ]);
    const further = stored.slice(firstAfter(stored, after)).slice(0, count);
    return [...new Set([...underway, ...further])].sort(byBytes).slice(0, count);
  }

  /** Of a deleted document nothing is known after a while: its id need not be passed over for ever. */
  #forget(tenant: string, document_id: string): void {
    const { names } = this.sources;
    const forgotten = this.#redis.documentForget(
      names.documents(tenant),
      names.document(tenant, document_id),
      document_id,
    );
    forgotten.catch(() => {}); // the next reader tries again
  }

  #storedIds(tenant: string): Promise<readonly string[]> {
    return fromStore(async () => {
      const { store } = this.sources;
      const revision = await store.revision();
      const kept = this.#stored.get(tenant);
      if (kept?.revision === revision) return kept.ids;
      const ids = (await store.documents(tenant)).map(({ id }) => id).sort(byBytes);
      this.#stored.set(tenant, { revision, ids });
      return ids;
    });
  }
}

/** Place of the first id after `after`. */
function firstAfter(ids: readonly string[], after: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byBytes(ids[middle]!, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** As Redis has it: by UTF-8 bytes, which for all but a few characters is as JavaScript compares. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, "base64url").toString();
  if (id === "" || id.includes("\uFFFD")) throw invalidRequest("cursor: take it from the page before");
  return id;
}
