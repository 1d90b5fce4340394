/** The indexer: documents to chunks to vectors, in the store. */
import { completions, DEFAULT_TENANT, queues } from "#contracts";
import { type EmbeddingModel, loadModel } from "#embedding";
import { Fail, Retry } from "#queue";
import { configOrExit, openConfiguredStore, runStage } from "#runtime";
import { StoreError } from "#vector-store";
import { indexerSettings } from "./config.ts";
import { indexDocument } from "./index-document.ts";

const config = configOrExit(indexerSettings);
const store = openConfiguredStore(config);
/** Loaded by the first document: an indexer that has nothing to do should cost nothing. */
let model: Promise<EmbeddingModel> | undefined;

await runStage({
  name: "indexer",
  config,
  from: queues.indexIn,
  to: completions,
  concurrency: 1,
  handle: async ({ job_id, timings, tenant = DEFAULT_TENANT, document_id, ...given }, { signal }) => {
    model ??= loadModel({ directory: config.MODEL_DIR, threads: config.ENCODER_THREADS || undefined });
    const { source, format, content, title, metadata } = given;
    const document = { tenant, id: document_id, source, format, content, title, metadata };
    try {
      const { chunks } = await indexDocument({ store, model: await model }, document, signal);
      return { job_id, timings, status: "ok" as const, document_id, chunks };
    } catch (error) {
      if (error instanceof StoreError)
        throw new Retry(new Fail("store_unavailable", error.message, { cause: error }));
      throw error;
    }
  },
  close: () => store.close(),
});
