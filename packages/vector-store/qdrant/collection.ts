/** The collection: created on first use, checked before it is used. */
import type { QdrantClient } from "@qdrant/js-client-rest";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { StoreError } from "../types.ts";
import { DENSE, INDEXED } from "./points.ts";

/**
 * Makes `collection` ready: creates it and its payload indexes where missing. Two processes may do so at once.
 * @throws StoreError if it is there with other vectors; the client's own errors pass.
 */
export async function ensureCollection(client: QdrantClient, collection: string): Promise<void> {
  if (!(await client.collectionExists(collection)).exists) await create(client, collection);
  const { config, payload_schema } = await client.getCollection(collection);
  const vectors = config.params.vectors as Record<string, { size?: number; distance?: string }> | undefined;
  const dense = vectors?.[DENSE];
  if (dense?.size !== EMBEDDING_DIMENSIONS || dense.distance !== "Cosine") {
    throw new StoreError(
      `Qdrant's collection "${collection}" has no vector "${DENSE}" of size ${EMBEDDING_DIMENSIONS} and distance Cosine: name another collection`,
    );
  }
  for (const [field_name, field_schema] of Object.entries(INDEXED)) {
    if (field_name in payload_schema) continue;
    await client.createPayloadIndex(collection, { field_name, field_schema, wait: true });
  }
}

async function create(client: QdrantClient, collection: string): Promise<void> {
  try {
    await client.createCollection(collection, {
      vectors: { [DENSE]: { size: EMBEDDING_DIMENSIONS, distance: "Cosine" } },
    });
  } catch (error) {
    // Another process was first (409), which is as good.
    if (!(await client.collectionExists(collection)).exists) throw error;
  }
}
