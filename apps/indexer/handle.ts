/** What the indexer does with one job: a document into the store, or out of it. */
import { DEFAULT_TENANT, type IndexCompletion, type IndexIn } from "#contracts";
import { Fail, type HandlerContext, Retry } from "#queue";
import { StoreError, type VectorStore } from "#vector-store";
import { TooComplex } from "./chunker.ts";
import { type IndexTools, indexDocument } from "./index-document.ts";
import type { IndexerMetrics } from "./metrics.ts";
import type { Turn, Turns } from "./turn.ts";

export interface HandlerTools {
  readonly store: VectorStore;
  /** Called when a document is there to be indexed. */
  readonly load: () => Promise<IndexTools>;
  readonly turns: Turns;
  readonly metrics: IndexerMetrics;
}

export function indexHandler({ store, load, turns, metrics }: HandlerTools) {
  const put = async (job: IndexIn, signal: AbortSignal, turn: Turn): Promise<number> => {
    const { tenant, document_id: id, source, format, content, title, metadata } = job;
    const document = { tenant, id, source, format, content, title, metadata };
    const counted = metrics.counting(turn);
    try {
      return (await indexDocument(await load(), document, { signal, turn: counted })).chunks;
    } finally {
      counted.end();
    }
  };
  const remove = async ({ tenant = DEFAULT_TENANT, document_id }: IndexIn, turn: Turn): Promise<number> => {
    await turn.write(0);
    await store.delete(tenant, document_id);
    return 0;
  };

  return async (job: IndexIn, { signal }: HandlerContext): Promise<IndexCompletion> => {
    try {
      const chunks = await turns.during(job, signal, (turn) =>
        job.operation === "delete" ? remove(job, turn) : put(job, signal, turn),
      );
      const { job_id, timings, document_id } = job;
      return { job_id, timings, status: "ok", document_id, chunks };
    } catch (error) {
      if (error instanceof TooComplex)
        throw new Fail("document_too_complex", error.message, { cause: error });
      if (error instanceof StoreError) {
        throw new Retry(new Fail("store_unavailable", error.message, { cause: error }));
      }
      throw error;
    }
  };
}
