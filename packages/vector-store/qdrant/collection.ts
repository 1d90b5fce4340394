/** The collection: created on first use, checked before it is used. */
import type { QdrantClient, Schemas } from "@qdrant/js-client-rest";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { StoreError } from "../types.ts";
import { INDEXED } from "./filters.ts";
import { DENSE, TEXT } from "./points.ts";

export interface Collection {
  readonly client: QdrantClient;
  readonly name: string;
}

const VECTORS = {
  vectors: { [DENSE]: { size: EMBEDDING_DIMENSIONS, distance: "Cosine" } },
  sparse_vectors: { [TEXT]: { modifier: "idf" } },
} as const satisfies Schemas["CreateCollection"];

/**
 * Makes it ready: creates it and its payload indexes where missing. Two processes may do so at once.
 * @throws StoreError if it is there with other vectors; the client's own errors pass.
 */
export async function ensureCollection({ client, name }: Collection): Promise<void> {
  if (!(await client.collectionExists(name)).exists) await create({ client, name });
  const { config, payload_schema } = await client.getCollection(name);
  const { vectors, sparse_vectors } = config.params;
  const dense = (vectors as Record<string, { size?: number; distance?: string }> | undefined)?.[DENSE];
  if (dense?.size !== EMBEDDING_DIMENSIONS || dense.distance !== "Cosine") {
    refuse(name, `no vector "${DENSE}" of size ${EMBEDDING_DIMENSIONS} and distance Cosine`);
  }
  // A vector could be added to it, but its chunks would lack their words, and say not whose they are.
  if (sparse_vectors?.[TEXT]?.modifier !== "idf") {
    refuse(name, `no sparse vector "${TEXT}" with modifier idf, which those of earlier versions lack`);
  }
  for (const [field_name, field_schema] of Object.entries(INDEXED)) {
    if (field_name in payload_schema) continue;
    await client.createPayloadIndex(name, { field_name, field_schema, wait: true });
  }
}

function refuse(name: string, lack: string): never {
  throw new StoreError(
    `Qdrant's collection "${name}" has ${lack}: set QDRANT_COLLECTION to a new name and ingest the documents again`,
  );
}

async function create({ client, name }: Collection): Promise<void> {
  try {
    await client.createCollection(name, VECTORS);
  } catch (error) {
    // Another process was first (409), which is as good.
    if (!(await client.collectionExists(name)).exists) throw error;
  }
}

/** Those of the points that are there, by id; with these of their vectors. */
export async function readPoints(
  { client, name }: Collection,
  ids: readonly string[],
  with_vector: string[] = [],
): Promise<Map<string, Schemas["Record"]>> {
  if (ids.length === 0) return new Map();
  const points = await client.retrieve(name, {
    ids: [...ids],
    with_payload: true,
    with_vector: with_vector.length > 0 && with_vector,
  });
  return new Map(points.map((point) => [String(point.id), point]));
}
