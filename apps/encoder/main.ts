/** The encoder: a question's text to its vector. */
import { packEmbedding, queues } from "#contracts";
import { loadModel } from "#embedding";
import { configOrExit, runStage } from "#runtime";
import { encoderSettings } from "./config.ts";

const config = configOrExit(encoderSettings);
const model = await loadModel({ directory: config.MODEL_DIR, threads: config.ENCODER_THREADS || undefined });

await runStage({
  name: "encoder",
  config,
  from: queues.encoderIn,
  to: queues.retrieverIn,
  batch: config.ENCODER_BATCH,
  lookahead: config.ENCODER_BATCH,
  handleBatch: async (jobs) => {
    // Users repeat each other: equal questions of a batch are encoded once.
    const queries = [...new Set(jobs.map((job) => job.query))];
    const vectors = await model.embed(queries);
    const embeddings = new Map(queries.map((query, i) => [query, packEmbedding(vectors[i]!)]));
    return jobs.map((job) => ({ ...job, embedding: embeddings.get(job.query)! }));
  },
});
