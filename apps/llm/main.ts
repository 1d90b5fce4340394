/** An LLM worker: a prompt to an answer, by a replica. */
import { Balancer } from "#balancer";
import { completions, type LlmIn, queues, redisNames } from "#contracts";
import { connectSubscriber, connectWorker } from "#queue";
import { balancerSettings, configOrExit, createLogger, followReplicas, reportTo, runStage } from "#runtime";
import { llmSettings } from "./config.ts";
import { DecisionLog } from "./decision-log.ts";
import { type Generated, generate } from "./generate.ts";
import { HEALTH_PATHS, HealthProbes } from "./health-probes.ts";
import { Hedging } from "./hedge.ts";
import { type BalancerMetrics, balancerMetrics } from "./metrics.ts";
import { Places } from "./places.ts";
import { replicaClient } from "./replica/index.ts";
import { SilenceWatch } from "./silence.ts";
import { type TokenStream, TokenStreams, UNREAD } from "./token-streams.ts";

const NOTHING_NEAR =
  "There is nothing about this in the documents that were indexed. Ask it in other words, or add documents with `bun run ingest`.";

const config = configOrExit(llmSettings);
const log = createLogger("llm", config.LOG_LEVEL).child({ worker: config.WORKER_NAME });
const redis = connectWorker(config.REDIS_URL, reportTo(log));
const subscriber = connectSubscriber(config.REDIS_URL, reportTo(log));
const names = redisNames(config.REDIS_PREFIX);
const explain = config.DECISION_LOG !== undefined;
const balancer = new Balancer(redis, names, {
  ...balancerSettings(config),
  hang_factor: config.LLM_HANG_FACTOR,
  explain,
});
const decisions =
  config.DECISION_LOG === undefined
    ? undefined
    : new DecisionLog(config.DECISION_LOG, config.BALANCER, (error) =>
        log.error(
          { err: error, path: config.DECISION_LOG },
          "DECISION_LOG cannot be written: check its folder",
        ),
      );
const places = new Places({ balancer, subscriber, all_open_ms: config.REPLICA_WAIT_MS });
const streams = new TokenStreams(redis, names, (error) =>
  log.error({ err: error }, "Redis did not take tokens: their readers get them with the answer"),
);
const client = replicaClient({
  api: config.LLM_API,
  model: config.LLM_MODEL,
  api_key: config.LLM_API_KEY,
  first_token_ms: config.LLM_FIRST_TOKEN_MS,
  between_tokens_ms: config.LLM_BETWEEN_TOKENS_MS,
});

const unfollow = followReplicas(config, balancer, log);
let metrics: BalancerMetrics;
const hedging = new Hedging({ budget: config.HEDGE_BUDGET, observe: (outcome) => metrics.hedged(outcome) });
const health = new HealthProbes({
  balancer,
  path: HEALTH_PATHS[config.LLM_API],
  interval_ms: config.HEALTH_INTERVAL_MS,
  changed: (replica, before, after) => {
    metrics.breaker(replica, after);
    log.warn({ replica, before, after }, "circuit breaker");
  },
});
const silence = new SilenceWatch({
  balancer,
  on: config.LLM_HANG_FACTOR > 0,
  hung: (replica, [before, after]) => {
    if (before !== after) metrics.breaker(replica, after);
    health.watchReturn(replica);
  },
});
await runStage({
  name: "llm",
  config,
  from: queues.llmIn,
  to: completions,
  concurrency: config.LLM_CONCURRENCY,
  paced: () => places.atOnce,
  register: (registry) => {
    metrics = balancerMetrics(registry);
  },
  handle: async (job, { signal, begun }) => {
    const { job_id, timings, contexts } = job;
    const tokens = job.stream ? streams.open(job_id, job.reply_to) : UNREAD;
    tokens.sources(contexts);
    const generated =
      contexts.length === 0
        ? sayNothingNear(job, tokens)
        : await generate({ client, balancer, places, hedging, silence, metrics, decisions, log }, job, {
            signal,
            begun,
            tokens,
          });
    // Before its completion: whoever has read that has then read all of it.
    await tokens.written();
    return {
      job_id,
      timings,
      status: "ok" as const,
      sources: contexts,
      worker: config.WORKER_NAME,
      ...generated,
    };
  },
  close: async () => {
    unfollow();
    health.stop();
    decisions?.flush();
    redis.disconnect();
    subscriber.disconnect();
  },
});

function sayNothingNear({ selected_replica }: LlmIn, tokens: TokenStream): Generated {
  tokens.run()(NOTHING_NEAR);
  // No model was asked.
  return {
    answer: NOTHING_NEAR,
    selected_replica,
    usage: { prompt_tokens: 0, completion_tokens: 0 },
  };
}
