/**
 * BM25 (Robertson and Zaragoza, 2009) as a product of sparse vectors, by Qdrant's own recipe: a chunk's vector
 * has each term's saturated frequency, the question's has counts, and the server multiplies in the inverse
 * document frequency (`modifier: idf`), which changes with every write.
 *
 * A dimension is a term's 32-bit hash. Of 100,000 different terms one pair is expected to collide: each then
 * also finds the other's chunks, as one term of several, which moves a hit now and then and loses none.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import { analyseQuestion } from "../analyser.ts";
import { type ChunkTerms, TERM_WEIGHTS } from "../chunk-terms.ts";

/** How soon repetitions of a term stop to count, and how much long texts are held back: as in SQLite's FTS5. */
const K1 = 1.2;
const B = 0.75;

/**
 * Terms of an average chunk, with its title, its headings and what is around it. It must be fixed, since it is part of
 * every stored vector: SciFact's abstracts, cut as the indexer does, have 145. Being wrong about it costs little: of whole
 * abstracts, which have 225, BM25's nDCG@10 is 0.701 with 128, 0.697 with 100, 0.695 with their own 225 and 0.689 with 256.
 */
const AVERAGE_TERMS = 128;

/** A chunk's terms; `undefined` if it has none: the point then goes without the vector. */
export function sparseTerms({ title, text, around }: ChunkTerms): Schemas["SparseVector"] | undefined {
  const frequencies = new Map<number, number>();
  count(frequencies, title, TERM_WEIGHTS.title);
  count(frequencies, text, TERM_WEIGHTS.text);
  count(frequencies, around, TERM_WEIGHTS.around);
  const terms = title.length + text.length + around.length;
  const long = K1 * (1 - B + (B * terms) / AVERAGE_TERMS);
  return sparse(frequencies, (frequency) => (frequency * (K1 + 1)) / (frequency + long));
}

/** A question's terms; `undefined` if it has none. A term that it repeats counts as often. */
export function questionTerms(question: string): Schemas["SparseVector"] | undefined {
  const frequencies = new Map<number, number>();
  count(frequencies, analyseQuestion(question), 1);
  return sparse(frequencies, (frequency) => frequency);
}

function count(frequencies: Map<number, number>, terms: readonly string[], weight: number): void {
  for (const term of terms) {
    const dimension = Bun.hash.xxHash32(term);
    frequencies.set(dimension, (frequencies.get(dimension) ?? 0) + weight);
  }
}

function sparse(frequencies: ReadonlyMap<number, number>, value: (frequency: number) => number) {
  if (frequencies.size === 0) return undefined;
  return { indices: [...frequencies.keys()], values: [...frequencies.values()].map(value) };
}
