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
    description: "Questions in flight at all times: as one ends, the next is sent",
  }),
  LT_TIMEOUT_MS: Type.Integer({
    default: 65_000,
    minimum: 1,
    maximum: 3_600_000,
    description: "How long to wait for one answer, ms; the default outlasts the gateway's own 60 s deadline",
  }),
  BUN_CONFIG_MAX_HTTP_REQUESTS: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 65_535,
    description: "Bun's cap on simultaneous requests; raised by itself where it is below LT_CONCURRENCY",
  }),
});
export type LoadTestSettings = Static<typeof loadTestSettings>;
