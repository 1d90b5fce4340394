/** Arranges what the dependencies do not bring: the embedding model and a Redis server. Quick when both are there. */

import { Type } from "@sinclair/typebox";
import { ensureModel } from "#embedding";
import { configOrExit, modelSettings } from "#runtime";
import { ensureEmbeddedCorpus } from "./embed-corpus.ts";
import { ensureRedisServer } from "./redis-server.ts";

const config = configOrExit(
  Type.Object({
    ...modelSettings,
    REDIS_URL: Type.Optional(
      Type.String({ description: "A Redis that is there already: none is installed then" }),
    ),
  }),
);

if (await ensureModel({ directory: config.MODEL_DIR }))
  console.error(`Set up: the embedding model, in ${config.MODEL_DIR}/`);
if (await ensureEmbeddedCorpus(config.MODEL_DIR, config.ENCODER_PRECISION))
  console.error("Set up: the corpus, embedded");

if (!config.REDIS_URL) {
  const problem = await ensureRedisServer();
  if (problem) {
    console.error(problem);
    process.exit(1);
  }
}
