import { Type } from "@sinclair/typebox";
import { appSettings, healthSettings, leaseSettings, modelSettings, redisSettings } from "#runtime";

export const encoderSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...modelSettings,
  ENCODER_BATCH: Type.Integer({
    minimum: 1,
    maximum: 32,
    default: 16,
    description: "Most questions encoded together; more gain nothing, and each waits for the slowest",
  }),
  ENCODER_MAX_BLOCK_MS: Type.Integer({
    minimum: 1,
    default: 100,
    description:
      "About how long one inference may take, which is what a question may wait for a core: a batch is split by what its tokens cost, a single question never; less slows many short questions, ms",
  }),
  ENCODER_CACHE: Type.Integer({
    minimum: 0,
    default: 10_000,
    description:
      "Questions whose vectors are kept, in memory (2 KB each) and as many in Redis for the other encoders and the next start: a repeated one costs nothing; 0 for none",
  }),
  ENCODER_CACHE_SECONDS: Type.Integer({
    minimum: 1,
    default: 7 * 24 * 3_600,
    description:
      "How long Redis keeps a vector after it was encoded; it never goes stale, it only takes room",
  }),
});
