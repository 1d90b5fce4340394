/** The indexer: documents to chunks to vectors, in the store. */
import { constants, setPriority } from "node:os";
import { completions, queues, redisNames } from "#contracts";
import { loadModel } from "#embedding";
import { connectWorker } from "#queue";
import { configOrExit, openStoreOrExit, runStage } from "#runtime";
import { Chunker } from "./chunker.ts";
import { indexerSettings } from "./config.ts";
import { indexHandler } from "./handle.ts";
import type { IndexTools } from "./index-document.ts";
import { IndexerMetrics } from "./metrics.ts";
import { Turns } from "./turn.ts";

/** Documents at once: the next ones are cut while one is embedded, and a small one or a deletion passes a large one. */
const CONCURRENCY = 4;

// Questions come first: an encoder on the same cores then answers as if nothing were beside it. Not lower, where
// a machine full of questions would leave too little for the heartbeat.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const config = configOrExit(indexerSettings);
const store = openStoreOrExit(config);
const redis = connectWorker(config.REDIS_URL, () => {}); // an outage is reported by the stage's own connections
const metrics = new IndexerMetrics();
/** Loaded by the first document: an indexer that has nothing to do should cost nothing. */
let tools: Promise<IndexTools & { chunker: Chunker }> | undefined;

function load() {
  tools ??= loadTools();
  tools.catch(() => (tools = undefined)); // tried again for the next document
  return tools;
}

async function loadTools() {
  const source = { directory: config.MODEL_DIR };
  const model = await loadModel({
    ...source,
    precision: config.ENCODER_PRECISION,
    threads: config.ENCODER_THREADS || undefined,
  });
  return { store, model, chunker: new Chunker({ model: source, window: model.window }) };
}

const app = await runStage({
  name: "indexer",
  config,
  from: queues.indexIn,
  to: completions,
  concurrency: CONCURRENCY,
  handle: indexHandler({
    store,
    load,
    turns: new Turns(redis, redisNames(config.REDIS_PREFIX)),
    metrics,
  }),
  close: async () => {
    redis.disconnect();
    const loaded = await tools?.catch(() => undefined);
    loaded?.chunker.close();
    await loaded?.model.close();
    await store.close();
  },
});
metrics.register(app.registry);
