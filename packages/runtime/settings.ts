/** Settings that several apps share: TypeBox properties, to be spread into an app's own schema. */
import { Type } from "@sinclair/typebox";

/** Where documents and their vectors are kept. */
export const storeSettings = {
  DATA_DIR: Type.String({
    default: ".data",
    description: "Folder of everything that is kept: the SQLite store, and Redis's data under `bun run dev`",
  }),
  QDRANT_URL: Type.Optional(
    Type.String({
      pattern: "^https?://",
      description:
        "Address of a Qdrant server, such as http://localhost:6333: one store for many machines, at a round trip a search. Empty for the SQLite store in DATA_DIR",
    }),
  ),
  QDRANT_API_KEY: Type.Optional(
    Type.String({ description: "Qdrant's API key. Empty for a server without one" }),
  ),
  QDRANT_COLLECTION: Type.String({
    default: "ragline",
    description: "Qdrant collection: its own name for each corpus that shares a server",
  }),
  FUSION: Type.Union([Type.Literal("dbsf"), Type.Literal("rrf")], {
    default: "dbsf",
    description:
      "How the searches by meaning and by words become one ranking: dbsf by their scores, rrf by their ranks, which suits where scores mislead",
  }),
  RRF_K: Type.Number({
    default: 10,
    minimum: 0,
    maximum: 1_000,
    description: "With FUSION=rrf, k in 1 / (k + rank): the larger, the less the first places count",
  }),
  FUSION_DENSE_WEIGHT: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    maximum: 100,
    description: "Weight of the search by meaning in the ranking",
  }),
  FUSION_TEXT_WEIGHT: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    maximum: 100,
    description: "Weight of the search by words in the ranking",
  }),
};

/** The embedding model. What embeds documents and what embeds questions must agree on all of it but the threads. */
export const modelSettings = {
  MODEL_DIR: Type.String({
    default: ".models",
    description: "Folder of the embedding model; it is built there once, in seconds, where missing",
  }),
  ENCODER_PRECISION: Type.Union([Type.Literal("fp32"), Type.Literal("int8")], {
    default: "fp32",
    description:
      "Of the model's matrices: `int8` embeds about 1.4 times as fast and a little less exactly. Documents embedded in the other one are embedded anew by the next ingestion, and are not found well until then",
  }),
  ENCODER_THREADS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 256,
    description:
      "Threads the model works on, one batch on all or several side by side: more are faster and leave less for other processes. 0 for all cores",
  }),
};
