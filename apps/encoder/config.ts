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
  ENCODER_CACHE: Type.Integer({
    minimum: 0,
    default: 10_000,
    description:
      "Questions whose vectors are kept in memory, 2 KB each: a repeated one costs nothing; 0 for none",
  }),
});
