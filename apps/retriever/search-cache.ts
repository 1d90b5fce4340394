/**
 * Users repeat each other: what a search found is kept while the store stays as it is.
 *
 * All that is kept is of one revision. The revision is read before each search: when it is another one, everything is
 * forgotten, so no answer outlives a change of the corpus. A store that does not tell its revision is searched each time.
 */
import { LRUCache } from "lru-cache";
import { Counter } from "prom-client";
import { type SearchHit, type SearchRequest, StoreError, type VectorStore } from "#vector-store";

export class SearchCache {
  readonly metric = new Counter({
    name: "ragline_retriever_searches_total",
    help: "Searches by where their results came from: cache, store",
    labelNames: ["origin"] as const,
    registers: [],
  });
  readonly #kept: LRUCache<string, readonly SearchHit[]> | undefined;
  #revision: string | undefined;

  /** @param most searches kept; 0 keeps none, and asks for no revision */
  constructor(
    private readonly store: Pick<VectorStore, "search" | "revision">,
    most: number,
  ) {
    this.#kept = most > 0 ? new LRUCache({ max: most }) : undefined;
    for (const origin of ["cache", "store"]) this.metric.inc({ origin }, 0);
  }

  /** As the store's `search`. */
  async hits(request: SearchRequest): Promise<readonly SearchHit[]> {
    const revision = this.#kept && (await this.#currentRevision());
    if (!this.#kept || revision === undefined) return this.#search(request);
    if (revision !== this.#revision) {
      this.#kept.clear();
      this.#revision = revision;
    }
    const key = keyOf(request);
    const kept = this.#kept.get(key);
    if (kept) {
      this.metric.inc({ origin: "cache" });
      return kept;
    }
    const found = await this.#search(request);
    // What was searched while others saw a newer revision may be of the older one.
    if (revision === this.#revision) this.#kept.set(key, found);
    return found;
  }

  #search(request: SearchRequest): Promise<SearchHit[]> {
    this.metric.inc({ origin: "store" });
    return this.store.search(request);
  }

  async #currentRevision(): Promise<string | undefined> {
    try {
      return await this.store.revision();
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }
}

/** The vector is part of it, and with it the model that made it. */
function keyOf({ vector, ...request }: SearchRequest): string {
  const { tenant, mode, text, top_k, filter } = request;
  return new Bun.CryptoHasher("sha256")
    .update(vector)
    .update(JSON.stringify([tenant, mode, text, top_k, filter]))
    .digest("base64url");
}
