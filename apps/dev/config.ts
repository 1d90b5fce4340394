import { Type } from "@sinclair/typebox";
import { modelSettings, storeSettings } from "#runtime";

/** What `bun run dev` itself goes by; every other setting reaches the processes that it starts as it is. */
export const devSettings = Type.Object({
  ...storeSettings,
  ...modelSettings,
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8_000, description: "Port of the gateway" }),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: "^rediss?://",
      description: "A Redis that runs already; without it, one is started",
    }),
  ),
  LLM_REPLICAS: Type.Optional(
    Type.Array(Type.String(), {
      description: "LLM replicas that run already; without them, three mock ones are started",
    }),
  ),
});
