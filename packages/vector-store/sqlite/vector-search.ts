/** The search by meaning: candidates from the mirror, scored anew with the vectors as they are stored. */
import type { Database } from "bun:sqlite";
import type { Candidate } from "../fusion.ts";
import { cosine } from "./cosine.ts";
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
