/**
 * Chunks that look like a corpus's, from a seed: the same number gives the same chunk, in any process.
 *
 * Vectors lie in clusters of about a hundred, as passages lie around subjects: 0.5 is the cosine within one.
 * Words follow Zipf's law as Mandelbrot corrected it, which is how those of English go once the stop words are out.
 * A question is near one chunk, and shares some of its words.
 */
import { EMBEDDING_DIMENSIONS } from "#contracts";

const CHUNKS_A_CLUSTER = 100;
const WORDS = 50_000;
const ZIPF = { shift: 30, exponent: 1.05 };
/** Content words of a chunk: what 128 tokens of English leave without stop words. */
const CHUNK_WORDS = 50;
const QUESTION_WORDS = { of_the_chunk: 6, any: 2 };

export interface Question {
  readonly vector: Float32Array;
  readonly text: string;
}

/** Chunk `i` of a corpus of `chunks`. */
export function vectorOf(i: number, chunks: number): Float32Array {
  const next = random(i, 1);
  const cluster = Math.floor(next() * Math.ceil(chunks / CHUNKS_A_CLUSTER));
  return near(direction(random(cluster, 2)), 0.7, next);
}

export function textOf(i: number): string {
  const next = random(i, 3);
  return Array.from({ length: CHUNK_WORDS }, () => word(next())).join(" ");
}

/** The `j`th question to a corpus of `chunks`. */
export function questionOf(j: number, chunks: number): Question {
  const next = random(j, 4);
  const i = Math.floor(next() * chunks);
  const words = textOf(i).split(" ");
  const asked = Array.from(
    { length: QUESTION_WORDS.of_the_chunk },
    () => words[Math.floor(next() * words.length)],
  );
  for (let at = 0; at < QUESTION_WORDS.any; at++) asked.push(word(next()));
  return { vector: near(vectorOf(i, chunks), 0.7, next), text: asked.join(" ") };
}

/** A unit vector at a cosine of about `cosine` to `centre`. */
function near(centre: Float32Array, cosine: number, next: () => number): Float32Array {
  const away = direction(next);
  const share = Math.sqrt(1 - cosine * cosine);
  return unit(centre.map((value, i) => cosine * value + share * away[i]!));
}

function direction(next: () => number): Float32Array {
  return unit(Float32Array.from({ length: EMBEDDING_DIMENSIONS }, () => next() - 0.5));
}

function unit(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return vector.map((value) => value / length);
}

const cumulated = new Float64Array(WORDS);
for (let rank = 0, sum = 0; rank < WORDS; rank++) {
  sum += 1 / (rank + 1 + ZIPF.shift) ** ZIPF.exponent;
  cumulated[rank] = sum;
}

/** The word at a share, 0 to 1, of all words used. */
function word(share: number): string {
  const wanted = share * cumulated[WORDS - 1]!;
  let low = 0;
  let high = WORDS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulated[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return spelled(low);
}

const SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split(" ");

/** Words of four syllables: no stemmer makes two of them one. */
function spelled(rank: number): string {
  let text = "";
  for (let at = 0, rest = rank; at < 4; at++, rest = Math.floor(rest / SYLLABLES.length))
    text += SYLLABLES[rest % SYLLABLES.length];
  return `${text}k`;
}

/** Mulberry32, a stream of its own for each number and purpose. */
function random(number: number, purpose: number): () => number {
  let state = Math.imul(number + 1, 2_654_435_761) ^ Math.imul(purpose, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
