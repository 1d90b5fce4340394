/** The memory that all vectors of a store lie in, allotted in blocks, and the scan over them. */
import { EMBEDDING_DIMENSIONS } from "#contracts";

/** Vectors in a block: their places, 0 to 15, are the last four bits of their addresses. */
export const BLOCK = 16;

const VALUE_BYTES = 4;
const BLOCK_BYTES = BLOCK * (EMBEDDING_DIMENSIONS + 2 * VALUE_BYTES);
const PAGE_BYTES = 65_536;

/** Memory grows by at least 1 MB, and by a sixteenth. */
const GROWTH_PAGES = 16;
const GROWTH_SHARE = 1 / 16;

/** What `vector-scan.as` exports. */
interface Scan {
  readonly memory: WebAssembly.Memory;
  readonly input: WebAssembly.Global;
  readonly question: WebAssembly.Global;
  readonly list: WebAssembly.Global;
  readonly list_length: WebAssembly.Global;
  readonly free: WebAssembly.Global;
  encode(address: number, row: number): void;
  move(from: number, to: number): void;
  rowAt(address: number): number;
  begin(best: number, count: number): void;
  scanBlocks(count: number): void;
  scanVectors(count: number): void;
  found(): number;
}

export class VectorMemory {
  #scan: Scan;
  /** Everything from here on is unused. */
  #end: number;
  #free: number[] = [];
  /** Where a search keeps its best. */
  #best = 0;
  #best_bytes = 0;

  constructor(module: WebAssembly.Module) {
    this.#scan = new WebAssembly.Instance(module).exports as unknown as Scan;
    this.#end = aligned(this.#scan.free.value);
  }

  /** A block's address. */
  take(): number {
    return this.#free.pop() ?? this.#allot(BLOCK_BYTES);
  }

  giveBack(block: number): void {
    this.#free.push(block);
  }

  /** Puts a vector, as little-endian float32 bytes, with its row, a u32, at an address. */
  write(address: number, row: number, vector: Uint8Array): void {
    const { memory, input, encode } = this.#scan;
    new Uint8Array(memory.buffer).set(vector, input.value);
    encode(address, row);
  }

  move(from: number, to: number): void {
    this.#scan.move(from, to);
  }

  rowAt(address: number): number {
    return this.#scan.rowAt(address) >>> 0;
  }

  /** Rows of the `count` best of the first `vectors` vectors in `blocks`; of equal ones the lower rows. */
  nearest(question: Float32Array, count: number, blocks: readonly number[], vectors: number): Uint32Array {
    return this.#search(question, count, (list, length) => {
      for (let from = 0; from < blocks.length; from += length) {
        const part = blocks.slice(from, from + length);
        list.set(part);
        this.#scan.scanBlocks(Math.min(part.length * BLOCK, vectors - from * BLOCK));
      }
    });
  }

  /** Rows of the `count` best of the vectors at `addresses`; of equal ones the lower rows. */
  nearestAmong(question: Float32Array, count: number, addresses: readonly number[]): Uint32Array {
    return this.#search(question, count, (list, length) => {
      for (let from = 0; from < addresses.length; from += length) {
        const part = addresses.slice(from, from + length);
        list.set(part);
        this.#scan.scanVectors(part.length);
      }
    });
  }

  #search(question: Float32Array, count: number, scan: (list: Uint32Array, length: number) => void) {
    const { memory, question: at, list, list_length, begin, found } = this.#scan;
    const best_bytes = 2 * VALUE_BYTES * count;
    if (best_bytes > this.#best_bytes) {
      this.#best = this.#allot(best_bytes);
      this.#best_bytes = best_bytes;
    }
    new Int16Array(memory.buffer, at.value, EMBEDDING_DIMENSIONS).set(toInt16(question));
    begin(this.#best, count);
    scan(new Uint32Array(memory.buffer, list.value, list_length.value), list_length.value);
    return new Uint32Array(memory.buffer, this.#best + VALUE_BYTES * count, found()).slice();
  }

  #allot(bytes: number): number {
    const address = this.#end;
    this.#end = aligned(address + bytes);
    const { memory } = this.#scan;
    const missing = Math.ceil((this.#end - memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) {
      const share = Math.ceil((memory.buffer.byteLength / PAGE_BYTES) * GROWTH_SHARE);
      memory.grow(Math.max(missing, share, GROWTH_PAGES));
    }
    return address;
  }
}

/** Its values times what makes the largest of them 32,767: order is all that its scores are used for. */
function toInt16(vector: Float32Array): Int16Array {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const factor = largest > 0 ? 32_767 / largest : 0;
  // A loop: `from` takes four times as long.
  const scaled = new Int16Array(vector.length);
  for (let i = 0; i < vector.length; i++) scaled[i] = Math.round(vector[i]! * factor);
  return scaled;
}

function aligned(address: number): number {
  return Math.ceil(address / BLOCK) * BLOCK;
}
