import { Type } from "@sinclair/typebox";
import { appSettings, healthSettings, llmReplicaSettings, redisSettings, storeSettings } from "#runtime";

export const gatewaySettings = Type.Object({
  ...appSettings,
  ...redisSettings,
  ...llmReplicaSettings,
  ...storeSettings,
  ...healthSettings,
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
