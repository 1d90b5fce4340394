/**
 * What searches by words need of the full-text index, in memory.
 *
 * 1. The first search loads how many terms each chunk has: some 50 bytes a chunk.
 * 2. A term's posting list is read when a question first has it, and kept, the least recently asked for going first where
 *    all of them together would take more than `MOST_BYTES`.
 * 3. Changes of the file come by the change log. Each list takes them in when it is next asked for: the terms of a new
 *    chunk are found by the analyser, as the index has no way from a chunk to its terms.
 * 4. After more changes than are remembered, as while a corpus is ingested, lists are read anew.
 */
import type { Database } from "bun:sqlite";
import { LRUCache } from "lru-cache";
import { termsOf } from "../chunk-terms.ts";
import { LogFollower } from "./change-log.ts";
import { PostingList } from "./posting-list.ts";
import { chunksWith, countsOf, openInstances, type TermCount, termTotals } from "./terms.ts";

/** Of all posting lists together: 64 MB hold the index of some 15,000 chunks, and of larger ones what is asked for. */
const MOST_BYTES = 64 * 2 ** 20;

/** What a list takes beside its chunks, about: words that no chunk has must not fill the memory, either. */
const BYTES_A_LIST = 1_000;

/** Changed chunks that are remembered, some 15 KB each. */
const MOST_CHANGES = 1_000;

interface Change {
  readonly row: number;
  /** What is there now; nothing, if it was deleted. */
  readonly counts?: ReadonlyMap<string, TermCount>;
}

interface Kept {
  list: PostingList;
  /** How many changes it has taken in, of all that there ever were. */
  followed: number;
}

export class TermMirror {
  #totals = new Map<number, number>();
  #terms = 0;
  #lists = new LRUCache<string, Kept>({
    maxSize: MOST_BYTES,
    sizeCalculation: ({ list }) => BYTES_A_LIST + list.bytes,
  });
  #changes: Change[] = [];
  /** Changes that are not remembered any more. */
  #forgotten = 0;
  #follower = new LogFollower({
    load: (db) => this.#load(db),
    take: (db, rows) => this.#take(db, rows),
  });

  /** To be called after a commit through the same connection. */
  committed(): void {
    this.#follower.committed();
  }

  /** Brings it to the state of the transaction that `db` is in: to be called within it, before any of the below. */
  follow(db: Database): void {
    this.#follower.follow(db);
  }

  /** Of all tenants together. */
  get chunks(): number {
    return this.#totals.size;
  }

  /** How many terms a chunk has on average. */
  get average(): number {
    return this.#terms / this.#totals.size;
  }

  /** How many terms a chunk has. */
  total(row: number): number {
    return this.#totals.get(row) ?? 0;
  }

  list(db: Database, term: string): PostingList {
    const kept = this.#lists.get(term);
    const followed = this.#forgotten + this.#changes.length;
    if (kept?.followed === followed) return kept.list;
    const list =
      kept && kept.followed >= this.#forgotten
        ? kept.list.changed(this.#since(kept.followed, term))
        : PostingList.of(chunksWith(db, term));
    this.#lists.set(term, { list, followed });
    return list;
  }

  /** What became of a term's count in each chunk that changed. */
  #since(followed: number, term: string): Map<number, TermCount | undefined> {
    return new Map(
      this.#changes.slice(followed - this.#forgotten).map(({ row, counts }) => [row, counts?.get(term)]),
    );
  }

  #load(db: Database): void {
    openInstances(db);
    this.#forget();
    this.#totals = termTotals(db);
    this.#terms = this.#totals.values().reduce((sum, total) => sum + total, 0);
  }

  #take(db: Database, rows: readonly number[]): void {
    const totals = termTotals(db, rows);
    for (const row of rows) {
      const total = totals.get(row);
      this.#terms += (total ?? 0) - this.total(row);
      if (total === undefined) this.#totals.delete(row);
      else this.#totals.set(row, total);
    }
    if (rows.length > MOST_CHANGES) this.#forget();
    if (this.#lists.size === 0) return; // what is read from now on is of now
    const counts = countsUnder(db, rows);
    for (const row of rows) this.#changes.push({ row, counts: counts.get(row) });
    this.#forgotten += this.#changes.splice(0, this.#changes.length - MOST_CHANGES).length;
  }

  #forget(): void {
    this.#lists.clear();
    this.#forgotten += this.#changes.length;
    this.#changes = [];
  }
}

/** The terms of the chunks under these rows, those of them that are there: what is around one is its document's. */
function countsUnder(db: Database, rows: readonly number[]): Map<number, ReadonlyMap<string, TermCount>> {
  const chunks = db
    .query<
      { row: number; document: number; position: number; title: string; heading_path: string; text: string },
      [string]
    >(
      `SELECT row, document, position, title, heading_path, text FROM chunks WHERE document IN
         (SELECT document FROM json_each(?) AS changed JOIN chunks ON row = changed.value)`,
    )
    .all(JSON.stringify(rows))
    .map((chunk) => ({ ...chunk, heading_path: JSON.parse(chunk.heading_path) as string[] }));
  const counts = new Map<number, ReadonlyMap<string, TermCount>>();
  for (const document of Map.groupBy(chunks, (chunk) => chunk.document).values())
    for (const [at, terms] of termsOf(document).entries()) counts.set(document[at]!.row, countsOf(terms));
  return counts;
}
