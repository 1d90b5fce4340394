/** The search by words as FTS5 itself does it, all in SQL: what the product's must equal. */
import type { Database } from "bun:sqlite";
import { analyseQuestion } from "../../../packages/vector-store/analyser.ts";

const WEIGHTS = "2, 1, 0.5";
const FOUND_AT_MOST = 5_000;
const FINDING_TERMS = 64;
const MOST_TERMS = 256;

export interface Found {
  readonly row: number;
  readonly score: number;
}

/** The `limit` best of the tenant's chunks, best first; ties by row. `among` bounds it to these rows. */
export function fts5Search(
  db: Database,
  question: string,
  tenant: string,
  limit: number,
  among?: readonly number[],
): Found[] {
  const terms = analyseQuestion(question);
  const counts = new Map(
    [...new Set(terms)]
      .map((term) => [term, chunksWith(db, term)] as const)
      .filter(([, chunks]) => chunks > 0)
      .sort((a, b) => a[1] - b[1]),
  );
  const finding = new Set<string>();
  let found = 0;
  for (const [term, chunks] of counts) {
    found += chunks;
    if (finding.size > 0 && (found > FOUND_AT_MOST || finding.size === FINDING_TERMS)) break;
    finding.add(term);
  }
  if (counts.size === 0) return [];
  const tenantRows = `SELECT row FROM chunks JOIN documents ON documents.key = document
                        JOIN tenants ON tenants.key = tenant WHERE name = ?2`;
  const near = db
    .query<{ row: number }, (string | number)[]>(
      `SELECT rowid AS row FROM terms
        WHERE terms MATCH ?1 AND +rowid IN (${tenantRows}) ${among ? "AND +rowid IN (SELECT value FROM json_each(?4))" : ""}
        ORDER BY bm25(terms, ${WEIGHTS}), rowid LIMIT ?3`,
    )
    .all(
      `{title text} : (${anyOf(terms.filter((term) => finding.has(term)))})`,
      tenant,
      limit,
      ...(among ? [JSON.stringify(among)] : []),
    );
  return db
    .query<Found, [string, string]>(
      `SELECT rowid AS row, -bm25(terms, ${WEIGHTS}) AS score FROM terms
        WHERE terms MATCH ?1 AND +rowid IN (SELECT value FROM json_each(?2))
        ORDER BY bm25(terms, ${WEIGHTS}), rowid`,
    )
    .all(anyOf(terms.filter((term) => counts.has(term))), JSON.stringify(near.map(({ row }) => row)));
}

function chunksWith(db: Database, term: string): number {
  return db
    .query<{ chunks: number }, [string]>(
      `SELECT count(*) AS chunks FROM (SELECT 1 FROM terms WHERE terms MATCH ? LIMIT ${FOUND_AT_MOST})`,
    )
    .get(`{title text} : "${term}"`)!.chunks;
}

function anyOf(terms: readonly string[]): string {
  return terms
    .slice(0, MOST_TERMS)
    .map((term) => `"${term}"`)
    .join(" OR ");
}
