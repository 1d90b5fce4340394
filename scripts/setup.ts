/** Arranges what the dependencies do not bring: the vector scan, the embedding model, a Redis server. Quick when all are there. */

import { Type } from "@sinclair/typebox";
import { ensureModel } from "#embedding";
import { configOrExit, modelSettings } from "#runtime";
import { ensureVectorScan } from "./build-vector-scan.ts";
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

if (await ensureVectorScan()) console.error("Set up: the vector scan");
if (await ensureModel({ directory: config.MODEL_DIR }))
  console.error(`Set up: the embedding model, in ${config.MODEL_DIR}/`);
if (await ensureEmbeddedCorpus(config.MODEL_DIR)) console.error("Set up: the corpus, embedded");

if (!config.REDIS_URL) {
  const problem = await ensureRedisServer();
  if (problem) {
    console.error(problem);
    process.exit(1);
  }
}
