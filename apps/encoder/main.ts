/** The encoder: a question's text to its vector. */
import { queues } from "#contracts";
import { loadModel } from "#embedding";
import { configOrExit, runStage } from "#runtime";
import { encoderSettings } from "./config.ts";
import { QuestionCache } from "./question-cache.ts";

const config = configOrExit(encoderSettings);
const model = await loadModel({ directory: config.MODEL_DIR, threads: config.ENCODER_THREADS || undefined });
const questions = new QuestionCache(model, config.ENCODER_CACHE);

await runStage({
  name: "encoder",
  config,
  from: queues.encoderIn,
  to: queues.retrieverIn,
  batch: config.ENCODER_BATCH,
  lookahead: config.ENCODER_BATCH,
  handleBatch: async (jobs) => {
    const embeddings = await questions.packed(jobs.map((job) => job.query));
    return jobs.map((job, i) => ({ ...job, embedding: embeddings[i]! }));
  },
});
