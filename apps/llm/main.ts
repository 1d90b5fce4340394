/** An LLM worker: a prompt to an answer, by a replica. */
import { LeastConnections } from "#balancer";
import { completions, queues, redisNames } from "#contracts";
import { connectWorker } from "#queue";
import { configOrExit, createLogger, reportTo, runStage } from "#runtime";
import { llmSettings } from "./config.ts";
import { generate } from "./generate.ts";
import { replicaClient } from "./replica/index.ts";

const NOTHING_NEAR =
  "There is nothing about this in the documents that were indexed. Ask it in other words, or add documents with `bun run ingest`.";

const config = configOrExit(llmSettings);
const log = createLogger("llm", config.LOG_LEVEL).child({ worker: config.WORKER_NAME });
const redis = connectWorker(config.REDIS_URL, reportTo(log));
const balancer = new LeastConnections(redis, redisNames(config.REDIS_PREFIX), config.LLM_REPLICAS);
const client = replicaClient({
  api: config.LLM_API,
  model: config.LLM_MODEL,
  api_key: config.LLM_API_KEY,
  first_token_ms: config.LLM_FIRST_TOKEN_MS,
  between_tokens_ms: config.LLM_BETWEEN_TOKENS_MS,
});

await runStage({
  name: "llm",
  config,
  from: queues.llmIn,
  to: completions,
  concurrency: config.LLM_CONCURRENCY,
  handle: async (job, { signal }) => {
    const { job_id, timings, contexts, selected_replica } = job;
    const generated =
      contexts.length === 0
        ? { answer: NOTHING_NEAR, selected_replica }
        : await generate({ client, balancer, log }, job, signal);
    return {
      job_id,
      timings,
      status: "ok" as const,
      sources: contexts,
      worker: config.WORKER_NAME,
      ...generated,
    };
  },
  close: async () => redis.disconnect(),
});
