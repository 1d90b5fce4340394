/** The full-text index: what of a chunk is in it, and the search by words, ranked by BM25. */
import type { Database } from "bun:sqlite";
import { analyseQuestion } from "../analyser.ts";
import { type ChunkTerms, TERM_WEIGHTS } from "../chunk-terms.ts";
import type { Candidate } from "../fusion.ts";
import { ranked } from "./ranking.ts";
import type { Scope } from "./scope.ts";

/** In the order of the table's columns. */
const WEIGHTS = [TERM_WEIGHTS.title, TERM_WEIGHTS.text, TERM_WEIGHTS.around].join(", ");

export function indexTerms(db: Database, row: number, { title, text, around }: ChunkTerms): void {
  db.query("INSERT INTO terms (rowid, title, text, around) VALUES (?, ?, ?, ?)").run(
    row,
    title.join(" "),
    text.join(" "),
    around.join(" "),
  );
}

/**
 * Of a question's words the rarer ones find, up to about this many chunks; the commoner ones then only score what was
 * found. BM25 of each match is what a search costs (2 to 3 us), common words match nearly everything, and what has none of
 * the rarer ones is seldom among the best.
 */
const FOUND_AT_MOST = 5_000;

/** Words of one question that find, and that score. Only a text pasted as a question has more. */
const FINDING_TERMS = 64;
const MOST_TERMS = 256;

/**
 * The `limit` best of the scope that have any of the question's rarer terms in their title or text, best first; ties by
 * id, at the cut by row. A term that the question repeats counts as often. The scores are BM25's, higher is better; its
 * document frequencies are those of all tenants together, as with any shared index.
 *
 * What is around a chunk scores those that their own words have found, and finds none: a fifth cheaper than one search of
 * all, and as good (nDCG@10 on SciFact 0.737 either way).
 */
export function searchTerms(db: Database, question: string, scope: Scope, limit: number): Candidate[] {
  const terms = analyseQuestion(question);
  const rarity = rarestFirst(db, terms);
  if (rarity.size === 0) return [];
  const finding = findingTerms(rarity);
  // The `+` keeps SQLite from running the whole search anew for each row of the filter.
  const among = scope.rows ? "AND +rowid IN (SELECT value FROM json_each(?5))" : "";
  const near = db
    .query<{ row: number }, (string | number)[]>(
      // Ordered by bm25() itself: by the hidden column `rank` it takes half as long again.
      `SELECT rowid AS row FROM terms
        WHERE terms MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ${among}
        ORDER BY bm25(terms, ${WEIGHTS}), rowid LIMIT ?4`,
    )
    .all(
      `{title text} : (${anyOf(terms.filter((term) => finding.has(term)))})`,
      scope.first,
      scope.last,
      limit,
      ...(scope.rows ? [JSON.stringify(scope.rows)] : []),
    );
  const found = db
    .query<Candidate, [string, string]>(
      `SELECT rowid AS row, -bm25(terms, ${WEIGHTS}) AS score FROM terms
        WHERE terms MATCH ?1 AND +rowid IN (SELECT value FROM json_each(?2))
        ORDER BY bm25(terms, ${WEIGHTS}), rowid`,
    )
    .all(anyOf(terms.filter((term) => rarity.has(term))), JSON.stringify(near.map(({ row }) => row)));
  return ranked(db, found, limit);
}

/** Terms that some title or text has, rarest first, to in how many they are: past `FOUND_AT_MOST`, it is not counted. */
function rarestFirst(db: Database, terms: readonly string[]): Map<string, number> {
  const count = db.query<{ chunks: number }, [string]>(
    `SELECT count(*) AS chunks FROM (SELECT 1 FROM terms WHERE terms MATCH ? LIMIT ${FOUND_AT_MOST})`,
  );
  const counted = [...new Set(terms)].map(
    (term) => [term, count.get(`{title text} : "${term}"`)!.chunks] as const,
  );
  return new Map(counted.filter(([, chunks]) => chunks > 0).sort((a, b) => a[1] - b[1]));
}

/** The rarest, and more of them as long as they find little. */
function findingTerms(rarity: ReadonlyMap<string, number>): Set<string> {
  const finding = new Set<string>();
  let found = 0;
  for (const [term, chunks] of rarity) {
    found += chunks;
    if (finding.size > 0 && (found > FOUND_AT_MOST || finding.size === FINDING_TERMS)) break;
    finding.add(term);
  }
  return finding;
}

/** Those of a pasted text beyond the first are left out: each costs a walk through its matches. */
function anyOf(terms: readonly string[]): string {
  return terms
    .slice(0, MOST_TERMS)
    .map((term) => `"${term}"`)
    .join(" OR ");
}
