import { type Static, Type } from "@sinclair/typebox";
import {
  appSettings,
  healthSettings,
  llmModelSettings,
  llmReplicaSettings,
  promptSettings,
  redisSettings,
  storeSettings,
} from "#runtime";
import { webhookSettings } from "#webhook";

export const gatewaySettings = Type.Object({
  ...appSettings,
  ...redisSettings,
  ...llmReplicaSettings,
  ...storeSettings,
  ...healthSettings,
  ...webhookSettings,
  ...llmModelSettings,
  ...promptSettings,
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8_000,
    description: "Port of the gateway; 0 for any free one",
  }),
  HOST: Type.String({
    default: "127.0.0.1",
    description:
      "Address the gateway listens on; `0.0.0.0` lets other machines in, and needs API_KEYS or ALLOW_OPEN",
  }),
  API_KEYS: Type.Boolean({
    default: false,
    description:
      "Whether requests need an API key, as `bun run keys create` makes them: each sees its own tenant, within its limits",
  }),
  UNKNOWN_KEYS_PER_MINUTE: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 60,
    description:
      "With API_KEYS, how many keys that nobody made one address (of IPv6, a /64) may send to this gateway in a minute; then 429. Keys that were known here before are let in all the same",
  }),
  ALLOW_OPEN: Type.Boolean({
    default: false,
    description:
      "Without API_KEYS, lets HOST be more than this machine: everybody who reaches the gateway may read and write everything",
  }),
  BODY_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    maximum: 600_000,
    default: 60_000,
    description: "How long a request's body may take to arrive before it is refused with 408, ms",
  }),
  LOG_QUESTIONS: Type.Boolean({
    default: false,
    description:
      "Whether the log shows the questions' text, with tenant and job id; they may be confidential",
  }),
  QUERY_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 60_000,
    description: "How long a question may take through the whole line before it is answered with 504, ms",
  }),
  STREAM_HEARTBEAT_MS: Type.Integer({
    minimum: 10,
    maximum: 200_000,
    default: 5_000,
    description:
      "How often a comment is sent on a stream of events, so that nobody between takes it for dead, ms: well below what proxies allow an idle connection",
  }),
  ANSWER_CACHE_SECONDS: Type.Integer({
    minimum: 0,
    maximum: 2_592_000,
    default: 0,
    description:
      "How long an answer is kept in Redis for the same question of the same tenant, while nothing in the store changes, s; 0 keeps none. The gateway must then have the LLM workers' and the retriever's LLM_MODEL, LLM_API, RERANKER, MIN_SCORE and PROMPT_TOKENS",
  }),
  ANSWER_CACHE_BYTES: Type.Integer({
    minimum: 1,
    default: 65_536,
    description: "Largest answer that is kept, with its sources, bytes",
  }),
  DOCUMENT_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    maximum: 2_000_000_000,
    default: 86_400_000,
    description:
      "How long an uploaded document may wait and be worked on before it counts as failed, ms: a large one takes minutes, a day's worth of them a day",
  }),
  TENANT_TURNS: Type.Boolean({
    default: true,
    description:
      "With API_KEYS, whether tenants whose jobs wait are served in turn, by their keys' priority; false serves in order of arrival, whoever asks",
  }),
  MAX_EXPECTED_WAIT: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.8,
    description:
      "Share of QUERY_TIMEOUT_MS that a question may be expected to take, by what waits and what the line did of late; beyond it, 429 at once. Higher accepts more and answers more of it late; 0 accepts all",
  }),
  MAX_QUEUE_DEPTH: Type.Integer({
    minimum: 1,
    default: 10_000,
    description:
      "Most questions that wait on the line, over all of its queues, and most documents that wait to be indexed; beyond it, 429 with Retry-After",
  }),
});

/** What an answer depends on beside the question and the corpus. */
export function answerSettingsOf(config: Static<typeof gatewaySettings>): unknown {
  const { LLM_MODEL, LLM_API, RERANKER, MIN_SCORE, PROMPT_TOKENS } = config;
  const { FUSION, RRF_K, FUSION_DENSE_WEIGHT, FUSION_TEXT_WEIGHT } = config;
  const prompt = [RERANKER, MIN_SCORE, PROMPT_TOKENS];
  return [LLM_MODEL, LLM_API, prompt, FUSION, RRF_K, FUSION_DENSE_WEIGHT, FUSION_TEXT_WEIGHT];
}
