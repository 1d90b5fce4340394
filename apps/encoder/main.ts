/** The encoder: a text to its vector. */
import { queues, redisNames } from "#contracts";
import { loadModel } from "#embedding";
import { connectProducer } from "#queue";
import { configOrExit, runStage } from "#runtime";
import { encoderSettings } from "./config.ts";
import { encodeHandler } from "./encode.ts";
import { encoderMetrics } from "./metrics.ts";
import { QuestionVectors } from "./question-vectors.ts";
import { SharedVectors } from "./shared-vectors.ts";

const config = configOrExit(encoderSettings);
const metrics = encoderMetrics();
const model = await loadModel({
  directory: config.MODEL_DIR,
  precision: config.ENCODER_PRECISION,
  threads: config.ENCODER_THREADS || undefined,
  batch: config.ENCODER_BATCH,
  max_block_ms: config.ENCODER_MAX_BLOCK_MS,
  observe: metrics.run,
});
const most = config.ENCODER_CACHE;
// An outage is told of by the stage's own connections.
const redis = most > 0 ? connectProducer(config.REDIS_URL, () => {}) : undefined;
const names = redisNames(config.REDIS_PREFIX);
const vectors = new QuestionVectors({
  model,
  most,
  shared: redis && new SharedVectors({ redis, names, model, most, seconds: config.ENCODER_CACHE_SECONDS }),
  observe: metrics.question,
});

const app = await runStage({
  name: "encoder",
  config,
  from: queues.encoderIn,
  to: queues.retrieverIn,
  batch: config.ENCODER_BATCH,
  // One is at work while the results of the other are written, and a question that comes alone need not wait for another.
  concurrency: 2,
  handleBatch: encodeHandler({ model, vectors }),
  close: async () => {
    redis?.disconnect();
    await model.close();
  },
});
metrics.register(app.registry);
