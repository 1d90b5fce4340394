/** A question to the sources of its answer: searched for, reranked, and those near enough taken. */
import type { Source } from "#contracts";
import type { SearchHit, SearchRequest } from "#vector-store";
import { type ContextLimits, selectContexts } from "./contexts.ts";
import type { Reranker } from "./reranker.ts";

export interface RetrievalTools {
  /** As a store's `search`, or a cache's before it. */
  readonly search: (request: SearchRequest) => Promise<readonly SearchHit[]>;
  readonly reranker: Reranker;
  readonly limits: ContextLimits;
}

/**
 * At most `request.top_k` sources, best first; none where nothing is near enough.
 * @throws StoreError if the store cannot be searched; whatever the reranker throws.
 */
export async function findSources(
  { search, reranker, limits }: RetrievalTools,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<Source[]> {
  const hits = await search({ ...request, top_k: reranker.depth(request.top_k) });
  const reranked = await reranker.rerank(request.text, hits, signal);
  return selectContexts(reranked.slice(0, request.top_k), limits);
}
