import { Type } from "@sinclair/typebox";
import {
  appSettings,
  healthSettings,
  leaseSettings,
  promptSettings,
  redisSettings,
  storeSettings,
} from "#runtime";

export const retrieverSettings = Type.Object({
  ...appSettings,
  ...healthSettings,
  ...leaseSettings,
  ...redisSettings,
  ...storeSettings,
  ...promptSettings,
  RETRIEVER_CACHE: Type.Integer({
    minimum: 0,
    default: 1_000,
    description:
      "Searches whose results are kept in memory, about 1 KB a source, until anything in the store changes; 0 for none",
  }),
});
