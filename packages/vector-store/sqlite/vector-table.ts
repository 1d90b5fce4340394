/**
 * Vectors in memory under integer keys, searched by an exact scan. They lie in one contiguous Float32Array,
 * slot after slot without holes: a removed vector's slot is filled with the last one.
 */
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { VECTOR_BYTES } from "./schema.ts";

export class VectorTable {
  #values = new Float32Array(0);
  /** The row in each slot, and the slot of each row. */
  #rows: number[] = [];
  #slots = new Map<number, number>();

  get size(): number {
    return this.#rows.length;
  }

  /** Puts a vector, as `VECTOR_BYTES` little-endian bytes, under `row`, in place of what was there. */
  set(row: number, vector: Uint8Array): void {
    let slot = this.#slots.get(row);
    if (slot === undefined) {
      slot = this.#rows.push(row) - 1;
      this.#slots.set(row, slot);
      this.#grow();
    }
    new Uint8Array(this.#values.buffer).set(vector, slot * VECTOR_BYTES);
  }

  remove(row: number): void {
    const slot = this.#slots.get(row);
    if (slot === undefined) return;
    this.#slots.delete(row);
    const last = this.#rows.pop()!;
    if (last === row) return;
    const from = this.#rows.length * EMBEDDING_DIMENSIONS;
    this.#values.copyWithin(slot * EMBEDDING_DIMENSIONS, from, from + EMBEDDING_DIMENSIONS);
    this.#rows[slot] = last;
    this.#slots.set(last, slot);
  }

  clear(): void {
    this.#values = new Float32Array(0);
    this.#rows = [];
    this.#slots.clear();
  }

  /**
   * The `top_k` nearest to `query`, in no order, and whatever ties with the last of them: only the caller knows
   * the ids that decide. `among` bounds the search to these rows; unknown ones are passed over.
   */
  nearest(query: Float32Array, top_k: number, among?: readonly number[]): number[] {
    const slots = among?.map((row) => this.#slots.get(row)).filter((slot) => slot !== undefined);
    const count = slots ? slots.length : this.size;
    const scores = new Float64Array(count);
    const best = new BestScores(Math.min(top_k, count));
    for (let i = 0; i < count; i++) {
      const score = this.#dot(query, slots ? slots[i]! : i);
      scores[i] = score;
      best.offer(score);
    }
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      if (scores[i]! >= best.worst) found.push(this.#rows[slots ? slots[i]! : i]!);
    }
    return found;
  }

  /** Four sums side by side: one alone waits for its own last addition, at half the speed. */
  #dot(query: Float32Array, slot: number): number {
    const values = this.#values;
    const from = slot * EMBEDDING_DIMENSIONS;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 4) {
      a += query[i]! * values[from + i]!;
      b += query[i + 1]! * values[from + i + 1]!;
      c += query[i + 2]! * values[from + i + 2]!;
      d += query[i + 3]! * values[from + i + 3]!;
    }
    return a + b + (c + d);
  }

  #grow(): void {
    const needed = this.#rows.length * EMBEDDING_DIMENSIONS;
    if (needed <= this.#values.length) return;
    const grown = new Float32Array(Math.max(needed * 2, 64 * EMBEDDING_DIMENSIONS));
    grown.set(this.#values);
    this.#values = grown;
  }
}

/** The best scores seen so far, at most `top_k` of them. */
class BestScores {
  #best: Float64Array;
  #count = 0;

  constructor(top_k: number) {
    this.#best = new Float64Array(top_k);
  }

  /** What a score must reach to belong to the best. */
  get worst(): number {
    if (this.#count < this.#best.length) return Number.NEGATIVE_INFINITY;
    return this.#best[this.#count - 1] ?? Number.POSITIVE_INFINITY;
  }

  /** Insertion into a sorted array: few of the scores get in, and `top_k` is small. */
  offer(score: number): void {
    if (!(score > this.worst)) return;
    let at = Math.min(this.#count, this.#best.length - 1);
    for (; at > 0 && this.#best[at - 1]! < score; at--) this.#best[at] = this.#best[at - 1]!;
    this.#best[at] = score;
    if (this.#count < this.#best.length) this.#count++;
  }
}
