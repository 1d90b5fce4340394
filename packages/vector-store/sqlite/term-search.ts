/**
 * The search by words, ranked by BM25: the same scores as FTS5's `bm25()` over the same index, to the bit, from posting
 * lists in memory. FTS5's own takes 2 to 3 us a match, as it finds each match's every place anew, twice for each search.
 */
import type { Database } from "bun:sqlite";
import { analyseQuestion } from "../analyser.ts";
import type { Candidate } from "../fusion.ts";
import type { PostingList } from "./posting-list.ts";
import { ranked } from "./ranking.ts";
import type { Scope } from "./scope.ts";
import type { TermMirror } from "./term-mirror.ts";

/**
 * Of a question's words the rarer ones find, up to about this many chunks; the commoner ones then only score what was
 * found. What has none of the rarer ones is seldom among the best.
 */
const FOUND_AT_MOST = 5_000;

/** Words of one question that find, and that score. Only a text pasted as a question has more. */
const FINDING_TERMS = 64;
const MOST_TERMS = 256;

/** BM25's parameters, as FTS5 has them. */
const K1 = 1.2;
const B = 0.75;
/** For terms that half of all chunks have. */
const LEAST_IDF = 1e-6;

/** A term that chunks are scored by: its list, as it is walked. */
class Scored {
  /** The row that the walk is at; infinite behind the last. */
  row = -1;
  #at = 0;

  constructor(
    private readonly list: PostingList,
    /** How much of it each chunk of the list has, of what is looked at. */
    private readonly counts: Float32Array,
    private readonly idf: number,
  ) {}

  /** On to the first chunk that has any of it, from `row` on. */
  seek(row: number): void {
    if (this.row >= row) return;
    this.#at = this.list.from(row, this.#at);
    this.#skip();
  }

  /** What it adds to BM25 of the chunk that the walk is at, and on to the next. */
  take(length: number): number {
    const count = this.counts[this.#at++]!;
    this.#skip();
    return this.idf * ((count * (K1 + 1)) / (count + length));
  }

  #skip(): void {
    while (this.counts[this.#at] === 0) this.#at++;
    this.row = this.list.rows[this.#at] ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * The `limit` best of the scope that have any of the question's rarer terms in their title or text, best first; ties by
 * id, at the cut by row. A term that the question repeats counts as often. The scores are BM25's, higher is better; its
 * document frequencies are those of all tenants together, as with any shared index.
 *
 * What is around a chunk scores those that their own words have found, and finds none: as good as one search of all
 * (nDCG@10 on SciFact 0.737 either way), and less to walk.
 */
export function searchTerms(
  db: Database,
  mirror: TermMirror,
  question: string,
  scope: Scope,
  limit: number,
): Candidate[] {
  mirror.follow(db);
  const terms = analyseQuestion(question);
  const lists = rarestFirst(db, mirror, terms);
  const finding = findingTerms(lists);
  const near = find(mirror, scored(mirror, terms, lists, "own", finding), scope, limit);
  return ranked(db, score(mirror, scored(mirror, terms, lists, "all"), near), limit);
}

/** Terms that some title or text has, the rarest first; past `FOUND_AT_MOST` they are equally common. */
function rarestFirst(db: Database, mirror: TermMirror, terms: readonly string[]): Map<string, PostingList> {
  const lists = [...new Set(terms)].map((term) => [term, mirror.list(db, term)] as const);
  const known = lists.filter(([, list]) => list.own_chunks > 0);
  return new Map(known.sort(([, a], [, b]) => finds(a) - finds(b)));
}

function finds(list: PostingList): number {
  return Math.min(list.own_chunks, FOUND_AT_MOST);
}

/** The rarest, and more of them as long as they find little. */
function findingTerms(lists: ReadonlyMap<string, PostingList>): Set<string> {
  const finding = new Set<string>();
  let found = 0;
  for (const [term, list] of lists) {
    found += finds(list);
    if (finding.size > 0 && (found > FOUND_AT_MOST || finding.size === FINDING_TERMS)) break;
    finding.add(term);
  }
  return finding;
}

/** In the question's order, in which the parts of a score are added. Those of a pasted text beyond the first are left out. */
function scored(
  mirror: TermMirror,
  terms: readonly string[],
  lists: ReadonlyMap<string, PostingList>,
  counts: "own" | "all",
  which: { has(term: string): boolean } = lists,
): Scored[] {
  return terms
    .filter((term) => which.has(term))
    .slice(0, MOST_TERMS)
    .map((term) => {
      const list = lists.get(term)!;
      const having = counts === "own" ? list.own_chunks : list.rows.length;
      const idf = Math.log((mirror.chunks - having + 0.5) / (having + 0.5));
      return new Scored(list, list[counts], idf > 0 ? idf : LEAST_IDF);
    });
}

/** Rows of the `limit` best that have any of the terms, ascending; of equal ones the lower rows. */
function find(
  mirror: TermMirror,
  terms: readonly Scored[],
  { first, last, rows }: Scope,
  limit: number,
): number[] {
  const among = rows && new Set(rows);
  const best = new Best(limit);
  for (const term of terms) term.seek(first);
  for (;;) {
    let row = Number.POSITIVE_INFINITY;
    for (const term of terms) if (term.row < row) row = term.row;
    if (row > last) break;
    const score = scoreOf(mirror, terms, row);
    if (!among || among.has(row)) best.offer(row, score);
  }
  return best.rows().sort((a, b) => a - b);
}

/** @param rows ascending */
function score(mirror: TermMirror, terms: readonly Scored[], rows: readonly number[]): Candidate[] {
  return rows.map((row) => {
    for (const term of terms) term.seek(row);
    return { row, score: scoreOf(mirror, terms, row) };
  });
}

/** BM25 of a chunk by the terms whose walks are at it; walks them past it. */
function scoreOf(mirror: TermMirror, terms: readonly Scored[], row: number): number {
  const length = K1 * (1 - B + (B * mirror.total(row)) / mirror.average);
  let sum = 0;
  for (const term of terms) if (term.row === row) sum += term.take(length);
  return sum;
}

/** The best of what is offered, in the order of their rows. */
class Best {
  #offered: Candidate[] = [];
  /** What has no more is not among them. */
  #least = Number.NEGATIVE_INFINITY;

  constructor(private readonly limit: number) {}

  offer(row: number, score: number): void {
    if (score <= this.#least) return;
    this.#offered.push({ row, score });
    if (this.#offered.length >= 2 * this.limit) this.#cut();
  }

  rows(): number[] {
    this.#cut();
    return this.#offered.map(({ row }) => row);
  }

  /** Sorting is stable: of equal ones the first offered stay. */
  #cut(): void {
    this.#offered.sort((a, b) => b.score - a.score);
    this.#offered.length = Math.min(this.#offered.length, this.limit);
    if (this.#offered.length === this.limit) this.#least = this.#offered.at(-1)!.score;
  }
}
