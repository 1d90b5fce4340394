/** Documents and vectors to store: the same seed gives the same ones. */
import { DEFAULT_TENANT, EMBEDDING_DIMENSIONS } from "#contracts";
import type { Chunk, StoredDocument } from "#vector-store";

/** A pseudo-random unit vector (mulberry32). */
export function unitVector(seed: number): Float32Array {
  let state = seed * 2_654_435_761;
  const vector = Float32Array.from({ length: EMBEDDING_DIMENSIONS }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** A unit vector at `cosine` to the axis that `axis` names. */
export function atCosine(cosine: number, axis = 0): Float32Array {
  const vector = new Float32Array(EMBEDDING_DIMENSIONS);
  vector[axis] = cosine;
  vector[axis + 1] = Math.sqrt(1 - cosine * cosine);
  return vector;
}

export function documentOf(id: string, digest = "d1"): StoredDocument {
  return {
    tenant: DEFAULT_TENANT,
    id,
    title: `Title of ${id}`,
    source: `corpus/${id}.md`,
    digest,
    metadata: {},
  };
}

export function chunkOf(
  document: StoredDocument,
  position: number,
  vector: Float32Array,
  text?: string,
): Chunk {
  return {
    id: `${document.id}#${position}`,
    document_id: document.id,
    title: document.title,
    heading_path: ["Part", `Section ${position}`],
    source: document.source,
    text: text ?? `${document.digest} passage ${position} of ${document.id}`,
    position,
    tokens: 5,
    vector,
  };
}

/** `count` chunks with vectors of their own. */
export function chunksOf(document: StoredDocument, count: number, seed = 1): Chunk[] {
  return Array.from({ length: count }, (_, i) => chunkOf(document, i, unitVector(seed + i)));
}
