import { Type } from "@sinclair/typebox";
import { appSettings, healthSettings, modelSettings, redisSettings } from "#runtime";

export const encoderSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...redisSettings,
  ...modelSettings,
  ENCODER_BATCH: Type.Integer({
    minimum: 1,
    maximum: 32,
    default: 16,
    description: "Most questions encoded together; more gain nothing, and each waits for the slowest",
  }),
});
