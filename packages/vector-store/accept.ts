/** What every store refuses before it writes or searches: a mistake here would surface only as wrong answers. */
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { type Chunk, type StoredDocument, StoreError } from "./types.ts";

/** @throws StoreError if a chunk is another document's, or a vector has the wrong length. */
export function acceptDocument(document: StoredDocument, chunks: readonly Chunk[]): void {
  for (const chunk of chunks) {
    if (chunk.document_id !== document.id) {
      throw new StoreError(
        `chunk "${chunk.id}" belongs to document "${chunk.document_id}", not to "${document.id}"`,
      );
    }
    acceptVector(chunk.vector, `chunk "${chunk.id}"`);
  }
}

/** @throws StoreError if the vector has the wrong length. */
export function acceptVector(vector: Float32Array, owner: string): void {
  if (vector.length === EMBEDDING_DIMENSIONS) return;
  throw new StoreError(
    `${owner} has a vector of ${vector.length} values where ${EMBEDDING_DIMENSIONS} are stored: was it made by another model?`,
  );
}
