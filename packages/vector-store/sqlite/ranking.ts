/** The order of candidates. Their ids are only read where scores are equal: reading 250 costs as much as the search. */
import type { Database } from "bun:sqlite";
import type { Candidate } from "../fusion.ts";
import { bestFirst } from "../order.ts";

/** The `limit` best, best first; ties by id. */
export function ranked(db: Database, candidates: readonly Candidate[], limit: number): Candidate[] {
  // Numbers alone are sorted many times as fast as candidates.
  const scores = new Float64Array(candidates.length);
  for (let i = 0; i < candidates.length; i++) scores[i] = candidates[i]!.score;
  scores.sort();
  const least = scores[Math.max(0, scores.length - limit)] ?? 0;
  const best = candidates.filter(({ score }) => score >= least).sort((a, b) => b.score - a.score);
  const tied = best.filter(({ score }, i) => score === best[i - 1]?.score || score === best[i + 1]?.score);
  if (tied.length === 0) return best;
  const ids = idsOf(db, tied);
  return best
    .map((candidate) => ({ ...candidate, id: ids.get(candidate.row) ?? "" }))
    .sort(bestFirst)
    .slice(0, limit);
}

function idsOf(db: Database, candidates: readonly Candidate[]): Map<number, string> {
  const rows = db
    .query<{ row: number; id: string }, [string]>(
      "SELECT row, chunks.id FROM json_each(?) AS wanted JOIN chunks ON row = wanted.value",
    )
    .all(JSON.stringify(candidates.map(({ row }) => row)));
  return new Map(rows.map(({ row, id }) => [row, id]));
}
