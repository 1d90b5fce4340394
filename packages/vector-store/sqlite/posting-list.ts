/** The chunks that have a term, in the order of their rows, 16 bytes each. */
import type { TermCount } from "./terms.ts";

export class PostingList {
  /** How many have the term in their title or their own text. */
  readonly own_chunks: number;

  private constructor(
    /** Ascending; integers beyond 2^32. */
    readonly rows: Float64Array,
    /** How much of it each has in its title and its own text; 0 where it is only around. */
    readonly own: Float32Array,
    /** With what is around. */
    readonly all: Float32Array,
  ) {
    let own_chunks = 0;
    for (const count of own) if (count > 0) own_chunks++;
    this.own_chunks = own_chunks;
  }

  /** @param counts by row, in order */
  static of(counts: ReadonlyMap<number, TermCount>): PostingList {
    const list = PostingList.#sized(counts.size);
    let at = 0;
    for (const [row, count] of counts) list.put(at++, row, count);
    return list.first(at);
  }

  get bytes(): number {
    return 16 * this.rows.length;
  }

  /** This list where the chunks under these rows now have so much of the term; `undefined` for none of it. */
  changed(counts: ReadonlyMap<number, TermCount | undefined>): PostingList {
    const rows = [...counts.keys()].sort((a, b) => a - b);
    if (!rows.some((row) => counts.get(row) || this.rows[this.from(row)] === row)) return this;
    const list = PostingList.#sized(this.rows.length + rows.length);
    let at = 0;
    let taken = 0;
    for (const row of rows) {
      const upTo = this.from(row, taken);
      list.copy(at, this, taken, upTo);
      at += upTo - taken;
      taken = this.rows[upTo] === row ? upTo + 1 : upTo;
      const count = counts.get(row);
      if (count) list.put(at++, row, count);
    }
    list.copy(at, this, taken, this.rows.length);
    return list.first(at + this.rows.length - taken);
  }

  /** Place of the first chunk, at `start` or behind, whose row is at least `row`. */
  from(row: number, start = 0): number {
    const { rows } = this;
    let low = start;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  static #sized(chunks: number): Unfinished {
    const rows = new Float64Array(chunks);
    const own = new Float32Array(chunks);
    const all = new Float32Array(chunks);
    return {
      put(at, row, count) {
        rows[at] = row;
        own[at] = count.own;
        all[at] = count.all;
      },
      copy(at, from, start, end) {
        rows.set(from.rows.subarray(start, end), at);
        own.set(from.own.subarray(start, end), at);
        all.set(from.all.subarray(start, end), at);
      },
      first(count) {
        if (count === chunks) return new PostingList(rows, own, all);
        return new PostingList(rows.slice(0, count), own.slice(0, count), all.slice(0, count));
      },
    };
  }
}

interface Unfinished {
  put(at: number, row: number, count: TermCount): void;
  copy(at: number, from: PostingList, start: number, end: number): void;
  /** The list of the first `count` places. */
  first(count: number): PostingList;
}
