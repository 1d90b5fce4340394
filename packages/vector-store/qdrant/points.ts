/**
 * What a document is in Qdrant: one marker point and one point per chunk, told apart by `kind`.
 *
 * The marker has no vector, so no search finds it, and its id follows from the document's id alone. It holds
 * the document's record and the `version` that counts: chunks of any other version are not there for readers.
 * One point is replaced as a whole, so replacing the marker is what commits a document.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import type { Chunk, SearchHit, StoredDocument } from "../types.ts";

/** The named vector of chunk points. Others (sparse, for words) can be added beside it. */
export const DENSE = "dense";

type Point = Schemas["PointStruct"];
export type Filter = Schemas["Filter"];

export interface DocumentPayload extends StoredDocument {
  readonly kind: "document";
  readonly version: number;
}

export interface ChunkPayload extends Omit<Chunk, "vector"> {
  readonly kind: "chunk";
  readonly version: number;
}

/** Fields that filters use, and their index types. */
export const INDEXED = { document_id: "keyword", kind: "keyword", version: "integer" } as const;

/** Fixed for ever: another namespace would lose sight of every stored document. */
const NAMESPACE = "5b1f3a0e-6a0f-4f0e-9c53-0d5e7c1a9b42";

export function markerId(document_id: string): string {
  return Bun.randomUUIDv5(`document/${document_id}`, NAMESPACE);
}

export function markerPoint(document: StoredDocument, version: number): Point {
  const payload: DocumentPayload = { kind: "document", version, ...document };
  return { id: markerId(document.id), vector: {}, payload: { ...payload } };
}

/** A new version's points never overwrite an old one's: the version is part of the point's id. */
export function chunkPoint({ vector, ...chunk }: Chunk, version: number): Point {
  const payload: ChunkPayload = { kind: "chunk", version, ...chunk };
  return {
    id: Bun.randomUUIDv5(`chunk/${version}/${chunk.id}`, NAMESPACE),
    vector: { [DENSE]: Array.from(vector) },
    payload: { ...payload },
  };
}

export function toDocument({ kind: _, version: __, ...document }: DocumentPayload): StoredDocument {
  return document;
}

export function toHit({ kind: _, version: __, ...chunk }: ChunkPayload, score: number): SearchHit {
  return { ...chunk, score, cosine: score, metadata: {} };
}

let last = 0;

/**
 * A version above `current`, and of this process's own: microseconds since 1970. Where the clock is behind the
 * one that wrote `current`, chance keeps two such writers apart instead.
 */
export function nextVersion(current = 0): number {
  const now = Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  last = Math.max(now, last + 1, current + 1 + Math.floor(Math.random() * 1_000));
  return last;
}

/** Points of versions older than `version`: what a write may overwrite or take away. */
export function olderThan(version: number): Schemas["FieldCondition"] {
  return { key: "version", range: { lt: version } };
}

export function chunksOf(document_id: string): Schemas["FieldCondition"][] {
  return [
    { key: "kind", match: { value: "chunk" } },
    { key: "document_id", match: { value: document_id } },
  ];
}

/**
 * Chunks of `document_ids`, or of all documents. Of documents in `live`, only those of the version given
 * there, or none at all where it is `undefined`.
 */
export function liveChunks(
  document_ids: readonly string[] | undefined,
  live: ReadonlyMap<string, number | undefined>,
): Filter {
  const must: Schemas["FieldCondition"][] = [{ key: "kind", match: { value: "chunk" } }];
  if (document_ids) must.push({ key: "document_id", match: { any: [...document_ids] } });
  if (live.size === 0) return { must };
  const must_not = [...live].map(([document_id, version]) => ({
    must: [{ key: "document_id", match: { value: document_id } }],
    must_not: version === undefined ? [] : [{ key: "version", match: { value: version } }],
  }));
  return { must, must_not };
}
