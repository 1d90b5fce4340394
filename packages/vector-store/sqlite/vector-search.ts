/** The search by meaning: candidates from the mirror, scored anew with the vectors as they are stored. */
import type { Database } from "bun:sqlite";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import type { Candidate } from "../fusion.ts";
import { ranked } from "./ranking.ts";
import type { Scope } from "./scope.ts";
import type { VectorMirror } from "./vector-mirror.ts";

/** The mirror's scores are not exact: of this many, and a quarter more than asked for, none of the best is missing. */
const RESCORED = 250;

/** The `limit` nearest of the scope, best first, scored by their cosine; ties by id. */
export function searchVectors(
  db: Database,
  mirror: VectorMirror,
  question: Float32Array,
  scope: Scope,
  limit: number,
): Candidate[] {
  mirror.follow(db);
  const near = mirror.nearest(question, Math.max(RESCORED, Math.ceil(limit * 1.25)), scope);
  const vectors = mirror.stored(db, near);
  const found = near.map((row, i) => ({ row, score: cosine(question, vectors[i]!) }));
  return ranked(db, found, limit);
}

/** Of two vectors of unit length, the second as the bytes of a stored one. */
export function cosine(a: Float32Array, stored: Uint8Array): number {
  const b = new Float32Array(stored.buffer, stored.byteOffset, EMBEDDING_DIMENSIONS);
  let even = 0;
  let odd = 0;
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 2) {
    even += a[i]! * b[i]!;
    odd += a[i + 1]! * b[i + 1]!;
  }
  return even + odd;
}
