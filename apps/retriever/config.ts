import { Type } from "@sinclair/typebox";
import { appSettings, healthSettings, leaseSettings, redisSettings, storeSettings } from "#runtime";

export const retrieverSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...storeSettings,
  RERANKER: Type.Union([Type.Literal("none")], {
    default: "none",
    description: "What has the last word on the order of the sources: none leaves it to the search",
  }),
  MIN_SCORE: Type.Number({
    minimum: -1,
    maximum: 1,
    default: 0.3,
    description: "Least cosine to the question that a source must have; -1 takes whatever is nearest",
  }),
  PROMPT_TOKENS: Type.Integer({
    minimum: 64,
    default: 2048,
    description:
      "Most tokens of sources in a prompt, in the embedding model's tokens; those beyond are left out",
  }),
  RETRIEVER_CACHE: Type.Integer({
    minimum: 0,
    default: 1_000,
    description:
      "Searches whose results are kept in memory, about 1 KB a source, until anything in the store changes; 0 for none",
  }),
});
