import { beforeEach, describe, expect, test } from "bun:test";
import { VectorMemory } from "../../../packages/vector-store/sqlite/scan/vector-memory.ts";
import { buildVectorScan, loadVectorScan } from "../../../packages/vector-store/sqlite/scan/vector-scan.ts";
import { VectorTable } from "../../../packages/vector-store/sqlite/scan/vector-table.ts";
import { atCosine, unitVector } from "./passages.ts";

const module = await loadVectorScan();
let memory: VectorMemory;
let table: VectorTable;
beforeEach(() => {
  memory = new VectorMemory(module);
  table = new VectorTable(memory);
});

const bytes = (vector: Float32Array) => new Uint8Array(vector.slice().buffer);
const put = (row: number, vector: Float32Array, into = table) => into.set(row, bytes(vector));
const sorted = (rows: Uint32Array) => Array.from(rows).sort((a, b) => a - b);

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The share of the `count` exactly nearest among the rows found. */
function recall(
  vectors: Map<number, Float32Array>,
  question: Float32Array,
  count: number,
  found: Uint32Array,
) {
  const nearest = Array.from(vectors, ([row, vector]) => ({ row, score: dot(vector, question) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
  const rows = new Set(found);
  return nearest.filter(({ row }) => rows.has(row)).length / nearest.length;
}

describe("the vector scan", () => {
  test("is compiled once: the second time it is there", async () => {
    expect((await buildVectorScan()).built).toBe(false);
  });

  test("has the 200 nearest of 5,000 among its best 250, and the 10 nearest among its best 20", () => {
    const vectors = new Map(Array.from({ length: 5_000 }, (_, i) => [i * 3, unitVector(i)]));
    for (const [row, vector] of vectors) put(row, vector);
    for (let seed = 10_000; seed < 10_005; seed++) {
      const question = unitVector(seed);
      expect(recall(vectors, question, 200, table.nearest(question, 250))).toBe(1);
      expect(recall(vectors, question, 10, table.nearest(question, 20))).toBe(1);
    }
  });

  test("follows what comes, changes and goes", () => {
    const vectors = new Map<number, Float32Array>();
    for (let step = 0; step < 2_000; step++) {
      const row = (step * 7) % 331;
      if (step % 3 === 2) {
        table.remove(row);
        vectors.delete(row);
      } else {
        const vector = unitVector(step);
        put(row, vector);
        vectors.set(row, vector);
      }
      if (step % 50) continue;
      expect(table.size).toBe(vectors.size);
      const question = unitVector(9_000 + step);
      expect(sorted(table.nearest(question, 1_000))).toEqual([...vectors.keys()].sort((a, b) => a - b));
      expect(recall(vectors, question, 10, table.nearest(question, 20))).toBe(1);
    }
  });

  test("emptied, it finds nothing, and uses its memory again", () => {
    const fill = () => {
      for (let row = 0; row < 1_000; row++) put(row, unitVector(row));
    };
    fill();
    const block = memory.take();
    memory.giveBack(block);
    for (let row = 0; row < 1_000; row++) table.remove(row);
    expect(table.nearest(unitVector(1), 5)).toEqual(new Uint32Array(0));
    fill();
    expect(memory.take()).toBe(block);
    expect(sorted(table.nearest(unitVector(3), 1))).toEqual([3]);
  });

  test("tables that share a memory see none of each other's vectors", () => {
    const other = new VectorTable(memory);
    for (let row = 0; row < 100; row++) {
      put(row, unitVector(row));
      put(row + 1_000, unitVector(row), other);
    }
    for (let row = 0; row < 100; row += 2) table.remove(row);
    expect(sorted(table.nearest(unitVector(1), 500))).toEqual(
      Array.from({ length: 50 }, (_, i) => 2 * i + 1),
    );
    expect(sorted(other.nearest(unitVector(1), 500))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1_000),
    );
  });

  test("looks at no other rows than those it is given", () => {
    for (let row = 0; row < 6_000; row++) put(row, unitVector(row));
    const among = Array.from({ length: 5_000 }, (_, i) => i + 500);
    expect(sorted(table.nearest(unitVector(7), 3, [5, 6, 8, 99_999]))).toEqual([5, 6, 8]);
    expect(sorted(table.nearest(unitVector(5_400), 1, among))).toEqual([5_400]);
    expect(table.nearest(unitVector(7), 1, among)[0]).toBeGreaterThanOrEqual(500);
    expect(table.nearest(unitVector(7), 1, [])).toEqual(new Uint32Array(0));
  });

  test("takes the lower of equally near rows, in whatever order they came", () => {
    for (const row of [9, 2, 7, 4, 11, 3]) put(row, atCosine(0.5));
    put(20, atCosine(0.9));
    expect(sorted(table.nearest(atCosine(1), 4))).toEqual([2, 3, 4, 20]);
  });

  test("bears vectors of one value, of zeros, and rows up to the last u32", () => {
    put(2 ** 32 - 1, atCosine(1));
    put(0, new Float32Array(384));
    put(1, atCosine(-1));
    expect(sorted(table.nearest(atCosine(1), 1))).toEqual([2 ** 32 - 1]);
    expect(sorted(table.nearest(atCosine(1), 2))).toEqual([0, 2 ** 32 - 1]);
    expect(sorted(table.nearest(new Float32Array(384), 2))).toEqual([0, 1]);
  });
});
