/**
 * What a document is in Qdrant: one marker point and one point per chunk, told apart by `kind`.
 *
 * The marker has no vector, so no search finds it, and its id follows from the document's alone: its tenant and
 * its id. It holds the document's record and the `version` that counts: chunks of any other version are not
 * there for readers. One point is replaced as a whole, so replacing the marker is what commits a document.
 *
 * One more point, of kind `revision`, has a new random value with every commit.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import type { ChunkTerms } from "../chunk-terms.ts";
import type { Chunk, Metadata, StoredDocument } from "../types.ts";
import { facetsOf } from "./filters.ts";
import { sparseTerms } from "./sparse.ts";

/** The named vectors of chunk points: of their meaning, and of their words. */
export const DENSE = "dense";
export const TEXT = "text";

type Point = Schemas["PointStruct"];

export interface DocumentPayload extends StoredDocument {
  readonly kind: "document";
  readonly version: number;
  /** How many chunks this version has. */
  readonly chunks: number;
}

export interface ChunkPayload extends Omit<Chunk, "vector"> {
  readonly kind: "chunk";
  readonly version: number;
  readonly tenant: string;
  readonly metadata: Metadata;
  readonly facets: readonly string[];
}

export interface RevisionPayload {
  readonly kind: "revision";
  readonly revision: string;
}

/** Fixed for ever: another namespace would lose sight of every stored document. */
const NAMESPACE = "5b1f3a0e-6a0f-4f0e-9c53-0d5e7c1a9b42";

/** As JSON, so that no two lists of parts read the same. */
function pointId(...parts: (string | number)[]): string {
  return Bun.randomUUIDv5(JSON.stringify(parts), NAMESPACE);
}

export function markerId(tenant: string, document_id: string): string {
  return pointId("document", tenant, document_id);
}

/** A new version's points never overwrite an old one's: the version is part of the point's id. */
export function chunkId(tenant: string, document_id: string, version: number, position: number): string {
  return pointId("chunk", tenant, document_id, version, position);
}

export const REVISION_ID = pointId("revision");

export function markerPoint(document: StoredDocument, version: number, chunks: number): Point {
  const payload: DocumentPayload = { kind: "document", version, chunks, ...document };
  return { id: markerId(document.tenant, document.id), vector: {}, payload: { ...payload } };
}

export function chunkPoint(
  { tenant, metadata }: StoredDocument,
  chunk: Chunk,
  chunk_terms: ChunkTerms,
  version: number,
): Point {
  const { vector, ...passage } = chunk;
  const payload: ChunkPayload = {
    kind: "chunk",
    version,
    tenant,
    metadata,
    facets: facetsOf(metadata),
    ...passage,
  };
  const terms = sparseTerms(chunk_terms);
  return {
    id: chunkId(tenant, chunk.document_id, version, chunk.position),
    vector: { [DENSE]: Array.from(vector), ...(terms && { [TEXT]: terms }) },
    payload: { ...payload },
  };
}

export function revisionPoint(): Point {
  const payload: RevisionPayload = { kind: "revision", revision: crypto.randomUUID() };
  return { id: REVISION_ID, vector: {}, payload: { ...payload } };
}

export function toDocument({ kind, version, chunks, ...document }: DocumentPayload): StoredDocument {
  return document;
}

export function toPassage(payload: ChunkPayload): Omit<Chunk, "vector"> {
  const { kind, version, tenant, metadata, facets, ...passage } = payload;
  return passage;
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
