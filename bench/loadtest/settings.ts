/** The settings of `bun loadtest.ts`. */
import { type Static, Type } from "@sinclair/typebox";

export const loadTestSettings = Type.Object({
  LT_URL: Type.String({
    default: "http://localhost:8000",
    pattern: "^https?://[^\\s/]",
    description: "Base URL of the gateway to test: http://HOST:PORT",
  }),
  LT_REQUESTS: Type.Integer({
    default: 500,
    minimum: 1,
    description: "Questions to send in all; more make the P99 steadier and the run longer",
  }),
  LT_CONCURRENCY: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 10_000,
    description:
      "Questions in flight at all times: as one ends, the next is sent; without meaning under `--rate`",
  }),
  LT_TIMEOUT_MS: Type.Integer({
    default: 65_000,
    minimum: 1,
    maximum: 3_600_000,
    description: "How long to wait for one answer, ms; the default outlasts the gateway's own 60 s deadline",
  }),
  LT_MAX_LAG_MS: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 60_000,
    description:
      "Generator lag (P99, ms) up to which a run under `--rate` is judged: past it what is measured is this tool",
  }),
  LT_KEY: Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]+$",
      description: "API key to ask with, sent as `Authorization: Bearer`. Empty for a gateway without keys",
    }),
  ),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: "^rediss?://",
      description: "Where `--abort` reads the load counters; empty for the gateway's /metrics",
    }),
  ),
  REDIS_PREFIX: Type.String({
    default: "",
    description: "Put before every key and channel: lets several lines share one Redis",
  }),
  BUN_CONFIG_MAX_HTTP_REQUESTS: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 65_535,
    description: "Bun's cap on simultaneous requests; raised by itself where it is too low",
  }),
});
export type LoadTestSettings = Static<typeof loadTestSettings>;
