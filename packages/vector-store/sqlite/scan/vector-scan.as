/**
 * AssemblyScript: int8 codes of vectors, and the exact scan over them with WebAssembly SIMD.
 *
 * A block is 16 vectors, 6,272 bytes at a multiple of 16:
 *   16 x 384 bytes   codes: the vector's values times 127 / its largest, rounded
 *   16 x f32         scales: what makes values of the codes again
 *   16 x u32         rows
 * A vector's address is its block's plus its place there, 0 to 15. Who calls allots the blocks.
 *
 * The question is 384 int16 at `question`: exact enough that all error is the codes'. Sums fit an i32:
 * 384 * 127 * 32,767 < 2^31.
 *
 * A search: `begin`, then any number of `scanBlocks` and `scanVectors`; then the best lie at `best`.
 */

const DIMENSIONS: usize = 384;
const BLOCK: i32 = 16;
const SCALES: usize = <usize>BLOCK * DIMENSIONS;
const ROWS: usize = SCALES + <usize>BLOCK * 4;

/** 384 x f32: the vector to be encoded. */
export const input: usize = memory.data(1536, 16);
/** 384 x i16. */
export const question: usize = memory.data(768, 16);
/** Addresses to scan, u32 each, as many as `list_length`. */
export const list_length: i32 = 4096;
export const list: usize = memory.data(16384, 16);

/** Where memory may be allotted from. */
export const free: usize = __heap_base;

/** A heap of the best so far, the worst of them at its root: scores (f32), then behind them rows (u32). */
let scores: usize = 0;
let rows: usize = 0;
let capacity: i32 = 0;
let size: i32 = 0;
let worst: f32 = 0;

/** Encodes the vector at `input` into the place `address`. */
export function encode(address: usize, row: u32): void {
  let largest = f32x4.splat(0);
  for (let i: usize = 0; i < DIMENSIONS * 4; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(input + i)));
  largest = f32x4.max(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1));
  largest = f32x4.max(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2));
  const limit = f32x4.extract_lane(largest, 0);
  const factor = f32x4.splat(limit > 0 ? 127 / limit : 0);

  const block = address & ~15;
  const place = address & 15;
  const codes = block + place * DIMENSIONS;
  for (let i: usize = 0; i < DIMENSIONS; i += 16) {
    const from = input + i * 4;
    const low = i16x8.narrow_i32x4_s(code4(from, factor), code4(from + 16, factor));
    const high = i16x8.narrow_i32x4_s(code4(from + 32, factor), code4(from + 48, factor));
    v128.store(codes + i, i8x16.narrow_i16x8_s(low, high));
  }
  store<f32>(block + SCALES + place * 4, limit / 127);
  store<u32>(block + ROWS + place * 4, row);
}

@inline
function code4(from: usize, factor: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from), factor)));
}

/** Moves a vector from one place to another. */
export function move(from: usize, to: usize): void {
  const source = from & ~15;
  const target = to & ~15;
  memory.copy(target + (to & 15) * DIMENSIONS, source + (from & 15) * DIMENSIONS, DIMENSIONS);
  store<f32>(target + SCALES + (to & 15) * 4, load<f32>(source + SCALES + (from & 15) * 4));
  store<u32>(target + ROWS + (to & 15) * 4, load<u32>(source + ROWS + (from & 15) * 4));
}

export function rowAt(address: usize): u32 {
  return load<u32>((address & ~15) + ROWS + (address & 15) * 4);
}

/** Starts a search for the `count` best, 1 or more, kept in 8 bytes each at `best`. */
export function begin(best: usize, count: i32): void {
  scores = best;
  rows = best + <usize>count * 4;
  capacity = count;
  size = 0;
  worst = -Infinity;
}

/** How many were found: their rows are the u32 from 4 * `count` bytes behind `best`, in no order. */
export function found(): i32 {
  return size;
}

/** Scans the first `count` vectors of the blocks at `list`. */
export function scanBlocks(count: i32): void {
  for (let left = count, at = list; left > 0; left -= BLOCK, at += 4) {
    const block: usize = load<u32>(at);
    const end = min(left, BLOCK);
    for (let place = 0; place < end; place++) scan(block, place);
  }
}

/** Scans the `count` vectors whose addresses are at `list`. */
export function scanVectors(count: i32): void {
  for (let i = 0; i < count; i++) {
    const address: usize = load<u32>(list + <usize>i * 4);
    scan(address & ~15, address & 15);
  }
}

/**
 * One vector's dot product with the question. As fast as memory is read: several vectors side by side, to load
 * the question less often, and loops unrolled by hand were slower.
 */
@inline
function scan(block: usize, place: usize): void {
  const codes = block + place * DIMENSIONS;
  let sum = i32x4.splat(0);
  for (let i: usize = 0; i < DIMENSIONS; i += 16) {
    const sixteen = v128.load(codes + i);
    const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(sixteen), v128.load(question + i * 2));
    const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(sixteen), v128.load(question + i * 2, 16));
    sum = i32x4.add(sum, i32x4.add(low, high));
  }
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  const dot = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  const score = <f32>dot * load<f32>(block + SCALES + place * 4);
  if (score >= worst) offer(score, load<u32>(block + ROWS + place * 4));
}

/** Takes the vector in if it is among the best; of equal ones the lower row is better. */
function offer(score: f32, row: u32): void {
  if (size < capacity) {
    let at = size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isWorse(score, row, scoreOf(parent), rowOf(parent))) break;
      put(at, scoreOf(parent), rowOf(parent));
      at = parent;
    }
    put(at, score, row);
    if (size == capacity) worst = scoreOf(0);
    return;
  }
  if (!isWorse(scoreOf(0), rowOf(0), score, row)) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && isWorse(scoreOf(child + 1), rowOf(child + 1), scoreOf(child), rowOf(child))) child++;
    if (!isWorse(scoreOf(child), rowOf(child), score, row)) break;
    put(at, scoreOf(child), rowOf(child));
    at = child;
  }
  put(at, score, row);
  worst = scoreOf(0);
}

@inline
function isWorse(score: f32, row: u32, than: f32, than_row: u32): bool {
  return score < than || (score == than && row > than_row);
}

@inline
function scoreOf(at: i32): f32 {
  return load<f32>(scores + <usize>at * 4);
}

@inline
function rowOf(at: i32): u32 {
  return load<u32>(rows + <usize>at * 4);
}

@inline
function put(at: i32, score: f32, row: u32): void {
  store<f32>(scores + <usize>at * 4, score);
  store<u32>(rows + <usize>at * 4, row);
}
