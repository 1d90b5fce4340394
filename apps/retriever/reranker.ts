/** The last word on the order of what was found: a slower judge of fewer chunks, such as a cross-encoder. */
import type { SearchHit } from "#vector-store";

export interface Reranker {
  /** How many chunks to search for where `top_k` are asked for: it chooses among them. At least `top_k`. */
  depth(top_k: number): number;
  /**
   * The hits in its own order, best first, all or some of them; `hits` come as the search ranked them. What it throws is the
   * job's failure; it gives up when `signal` fires.
   */
  rerank(question: string, hits: readonly SearchHit[], signal: AbortSignal): Promise<readonly SearchHit[]>;
}

/** By `RERANKER`. A new one is a line here and one in the setting. */
export const rerankers = {
  /** The search's own order. */
  none: {
    depth: (top_k) => top_k,
    rerank: async (_question, hits) => hits,
  },
} satisfies Record<string, Reranker>;
