/** The search by meaning: candidates from the mirror, scored anew with the vectors as they are stored. */
import type { Database } from "bun:sqlite";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import type { Candidate } from "../fusion.ts";
import { bestFirst } from "../order.ts";
import type { Scope } from "./scope.ts";
import type { VectorMirror } from "./vector-mirror.ts";

/** A chunk found by one side of a search. */
export interface RowCandidate extends Candidate {
  readonly row: number;
}

/** The mirror's scores are not exact: of this many, and a quarter more than asked for, none of the best is missing. */
const RESCORED = 250;

/** The `limit` nearest of the scope, best first, scored by their cosine; ties by id. */
export function searchVectors(
  db: Database,
  mirror: VectorMirror,
  question: Float32Array,
  scope: Scope,
  limit: number,
): RowCandidate[] {
  const near = mirror.nearest(question, Math.max(RESCORED, Math.ceil(limit * 1.25)), scope);
  return db
    .query<{ row: number; id: string; vector: Uint8Array }, [string]>(
      `SELECT row, chunks.id, vector FROM json_each(?) AS near JOIN vectors ON chunk = near.value JOIN chunks ON row = chunk`,
    )
    .all(JSON.stringify(near))
    .map(({ row, id, vector }) => ({ row, id, score: cosine(question, vector) }))
    .sort(bestFirst)
    .slice(0, limit);
}

/** Of two vectors of unit length, the second as the bytes of a stored one. */
export function cosine(a: Float32Array, stored: Uint8Array): number {
  const b = new Float32Array(stored.buffer, stored.byteOffset, EMBEDDING_DIMENSIONS);
  let sum = 0;
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i++) sum += a[i]! * b[i]!;
  return sum;
}
