/** The full-text index in the file: what of a chunk is in it, and what is read of it. */
import type { Database } from "bun:sqlite";
import { type ChunkTerms, TERM_WEIGHTS } from "../chunk-terms.ts";

/** How much of a term a chunk has: BM25's term frequency, weighted. */
export interface TermCount {
  /** In its title and its own text. */
  own: number;
  /** With what is around it. */
  all: number;
}

/** Within a connection's own temporary schema: a reader may do so, too. */
const INSTANCES =
  "CREATE VIRTUAL TABLE IF NOT EXISTS temp.term_instances USING fts5vocab('main', 'terms', 'instance')";

export function indexTerms(db: Database, row: number, { title, text, around }: ChunkTerms): void {
  db.query("INSERT INTO terms (rowid, title, text, around) VALUES (?, ?, ?, ?)").run(
    row,
    title.join(" "),
    text.join(" "),
    around.join(" "),
  );
}

/** To be called once a connection, before `chunksWith`. */
export function openInstances(db: Database): void {
  db.run(INSTANCES);
}

/** The chunks that have a term, by row, in order. */
export function chunksWith(db: Database, term: string): Map<number, TermCount> {
  const instances = db
    .query<unknown, [string]>("SELECT doc, col FROM temp.term_instances WHERE term = ?")
    .values(term) as [number, keyof ChunkTerms][];
  const counts = new Map<number, TermCount>();
  for (const [row, column] of instances) count(counts, row, column);
  return counts;
}

/** What `chunksWith` would tell of a chunk for each of its terms. */
export function countsOf(terms: ChunkTerms): Map<string, TermCount> {
  const counts = new Map<string, TermCount>();
  for (const column of Object.keys(TERM_WEIGHTS) as (keyof ChunkTerms)[])
    for (const term of terms[column]) count(counts, term, column);
  return counts;
}

function count<K>(counts: Map<K, TermCount>, key: K, column: keyof ChunkTerms): void {
  let found = counts.get(key);
  if (!found) {
    found = { own: 0, all: 0 };
    counts.set(key, found);
  }
  const weight = TERM_WEIGHTS[column];
  found.all += weight;
  if (column !== "around") found.own += weight;
}

/**
 * How many terms each chunk has, whatever their weights, by row.
 * @param rows only these, those of them that are there
 */
export function termTotals(db: Database, rows?: readonly number[]): Map<number, number> {
  // FTS5's own table of sizes: a varint for each column.
  const sizes = (
    rows
      ? db
          .query(
            "SELECT terms_docsize.id, sz FROM json_each(?) AS wanted JOIN terms_docsize ON terms_docsize.id = wanted.value",
          )
          .values(JSON.stringify(rows))
      : db.query("SELECT id, sz FROM terms_docsize").values()
  ) as [number, Uint8Array][];
  return new Map(sizes.map(([row, varints]) => [row, sumOf(varints)]));
}

/** SQLite's varints: seven bits a byte, the highest first; the ninth, of eight bits, is beyond any size here. */
function sumOf(varints: Uint8Array): number {
  let sum = 0;
  let value = 0;
  for (const byte of varints) {
    value = value * 128 + (byte & 127);
    if (byte < 128) {
      sum += value;
      value = 0;
    }
  }
  return sum;
}
