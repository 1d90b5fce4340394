/** A plain exact scan: every vector in one Float32Array, a loop over all, a sort of what is best. */
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { vectorOf } from "./dataset.ts";

export class ExactScan {
  #vectors: Float32Array;
  #scores: Float32Array;

  constructor(chunks: number) {
    this.#vectors = new Float32Array(chunks * EMBEDDING_DIMENSIONS);
    this.#scores = new Float32Array(chunks);
    for (let i = 0; i < chunks; i++) this.#vectors.set(vectorOf(i, chunks), i * EMBEDDING_DIMENSIONS);
  }

  /** The vectors' bytes, for whoever wants the same ones. */
  bytesOf(i: number): Uint8Array {
    return new Uint8Array(this.#vectors.buffer, i * EMBEDDING_DIMENSIONS * 4, EMBEDDING_DIMENSIONS * 4);
  }

  /** Numbers of the `count` nearest, best first. */
  nearest(question: Float32Array, count: number): number[] {
    const scores = this.#scores;
    for (let i = 0; i < scores.length; i++) scores[i] = this.#dot(question, i * EMBEDDING_DIMENSIONS);
    const least = scores.toSorted()[Math.max(0, scores.length - count)]!;
    const best: number[] = [];
    for (let i = 0; i < scores.length; i++) if (scores[i]! >= least) best.push(i);
    return best.sort((a, b) => scores[b]! - scores[a]!).slice(0, count);
  }

  /** Four sums side by side: one alone waits for its own last addition, at half the speed. */
  #dot(question: Float32Array, from: number): number {
    const values = this.#vectors;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 4) {
      a += question[i]! * values[from + i]!;
      b += question[i + 1]! * values[from + i + 1]!;
      c += question[i + 2]! * values[from + i + 2]!;
      d += question[i + 3]! * values[from + i + 3]!;
    }
    return a + b + (c + d);
  }
}
