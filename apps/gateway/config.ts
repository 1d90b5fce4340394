import { Type } from "@sinclair/typebox";
import { appSettings, llmReplicaSettings, redisSettings } from "#runtime";

export const gatewaySettings = Type.Object({
  ...appSettings,
  ...redisSettings,
  ...llmReplicaSettings,
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 8_000,
    description: "Port of the gateway; 0 for any free one",
  }),
  HOST: Type.String({
    default: "127.0.0.1",
    description: "Address the gateway listens on; `0.0.0.0` lets other machines in",
  }),
  QUERY_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    default: 60_000,
    description: "How long a question may take through the whole line before it is answered with 504, ms",
  }),
  MAX_QUEUE_DEPTH: Type.Integer({
    minimum: 1,
    default: 10_000,
    description:
      "Most questions that wait on the line, over all of its queues; beyond it, 429 with Retry-After",
  }),
});
