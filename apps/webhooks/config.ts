import { Type } from "@sinclair/typebox";
import { appSettings, healthSettings, leaseSettings, redisSettings } from "#runtime";
import { webhookSettings } from "#webhook";

export const webhooksSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...webhookSettings,
  WEBHOOK_TIMEOUT_MS: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 10_000,
    description: "How long a webhook's receiver may take to answer one try, its name looked up included, ms",
  }),
});
