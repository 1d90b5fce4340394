/**
 * One tenant's vectors in memory, as int8 codes under integer rows: 392 bytes each, and what a Map needs for an
 * entry. They lie in blocks without holes: a removed vector's place is taken by the last one.
 */
import { BLOCK, type VectorMemory } from "./vector-memory.ts";

export class VectorTable {
  #memory: VectorMemory;
  #blocks: number[] = [];
  /** The slot of each row: slot 17 is the second place of the second block. */
  #slots = new Map<number, number>();

  constructor(memory: VectorMemory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Puts a vector, as little-endian float32 bytes, under `row`, a u32, in place of what was there. */
  set(row: number, vector: Uint8Array): void {
    let slot = this.#slots.get(row);
    if (slot === undefined) {
      slot = this.size;
      if (slot === this.#blocks.length * BLOCK) this.#blocks.push(this.#memory.take());
      this.#slots.set(row, slot);
    }
    this.#memory.write(this.#address(slot), row, vector);
  }

  remove(row: number): void {
    const slot = this.#slots.get(row);
    if (slot === undefined) return;
    this.#slots.delete(row);
    const last = this.size;
    if (slot !== last) {
      const from = this.#address(last);
      this.#slots.set(this.#memory.rowAt(from), slot);
      this.#memory.move(from, this.#address(slot));
    }
    if (last % BLOCK === 0) this.#memory.giveBack(this.#blocks.pop()!);
  }

  /**
   * Rows of the `count` nearest to `question`, in no order; of those that seem equally near the lower rows.
   * `among` bounds the search to these rows; unknown ones are passed over.
   */
  nearest(question: Float32Array, count: number, among?: readonly number[]): Uint32Array {
    if (!among) return this.#memory.nearest(question, Math.min(count, this.size), this.#blocks, this.size);
    const addresses: number[] = [];
    for (const row of among) {
      const slot = this.#slots.get(row);
      if (slot !== undefined) addresses.push(this.#address(slot));
    }
    return this.#memory.nearestAmong(question, Math.min(count, addresses.length), addresses);
  }

  #address(slot: number): number {
    return this.#blocks[Math.floor(slot / BLOCK)]! + (slot % BLOCK);
  }
}
