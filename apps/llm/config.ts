import { Type } from "@sinclair/typebox";
import { DEFAULT_SETTINGS } from "#balancer";
import {
  appSettings,
  healthSettings,
  leaseSettings,
  llmModelSettings,
  llmReplicaSettings,
  redisSettings,
} from "#runtime";

export const llmSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...llmReplicaSettings,
  ...llmModelSettings,
  WORKER_NAME: Type.String({
    minLength: 1,
    default: "llm_generator_1",
    description: "Name of this LLM worker in answers and logs",
  }),
  LLM_API_KEY: Type.Optional(
    Type.String({
      description: "Sent to the replicas as a bearer token, where they want one; `openai` only",
    }),
  ),
  LLM_CONCURRENCY: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 32,
    description:
      "Requests that one worker keeps in flight; more only helps where the replicas serve more at once",
  }),
  REPLICA_WAIT_MS: Type.Integer({
    minimum: 0,
    default: 10_000,
    description: "How long a question waits while every replica's breaker is open, ms; then it is an error",
  }),
  HEALTH_INTERVAL_MS: Type.Integer({
    minimum: 0,
    default: 5_000,
    description: "How often a replica without traffic is asked whether it is well, ms; 0 for never",
  }),
  LLM_HANG_FACTOR: Type.Number({
    minimum: 0,
    default: DEFAULT_SETTINGS.hang_factor,
    description:
      "A replica that gives no sign of life for so many times what its first tokens take at most, while another does, hangs: its calls that have no token yet are made again elsewhere, each question's once. 0 to wait for `LLM_FIRST_TOKEN_MS` in any case",
  }),
  HEDGE_BUDGET: Type.Number({
    minimum: 0,
    maximum: 0.5,
    default: 0,
    description:
      "Share of requests that may be made a second time, at another replica, when their first token is later than 95 % of others: 0.03 is a good start; 0 turns hedging off",
  }),
  DECISION_LOG: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "File to which a line of JSON is added for each request to a replica: what was chosen, from what, and what came of it; `bun run simulate --replay FILE` reads it. Not set: none is written",
    }),
  ),
  LLM_FIRST_TOKEN_MS: Type.Integer({
    minimum: 1,
    default: 30_000,
    description: "How long a replica may take to its first token before another one is tried, ms",
  }),
  LLM_BETWEEN_TOKENS_MS: Type.Integer({
    minimum: 1,
    default: 10_000,
    description: "How long a replica may pause between two tokens before another one is tried, ms",
  }),
});
