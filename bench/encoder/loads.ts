/** What an encoder is asked: the same texts in every run. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadTokenizer } from "#embedding";
import { distinctQuestion } from "../distinct-questions.ts";

const ROOT = join(import.meta.dir, "../..");
/** Of a chunk, without special tokens: with them, 128. */
const CHUNK_TOKENS = 126;

export const loadNames = ["short queries", "128-token chunks", "mixed"] as const;
export type LoadName = (typeof loadNames)[number];
export type Loads = Record<LoadName, readonly string[]>;

/** @param size texts of the mixed load and of the queries; a quarter as many chunks, which take ten times as long. */
export async function buildLoads(size: number): Promise<Loads> {
  const cut = await corpusCutter();
  const random = mulberry32(1);
  const queries = Array.from({ length: size }, (_, i) => distinctQuestion(i));
  return {
    "short queries": queries,
    "128-token chunks": Array.from({ length: Math.ceil(size / 4) }, (_, i) => cut(i, CHUNK_TOKENS)),
    // Four of five are queries, the fifth is a passage of any length up to the window, in no order.
    mixed: queries.map((query, i) => (random() < 0.8 ? query : cut(i, 16 + Math.floor(random() * 238)))),
  };
}

/** Gives the `i`-th passage of the shipped corpus, of so many tokens. */
async function corpusCutter(): Promise<(i: number, tokens: number) => string> {
  const tokenizer = await loadTokenizer({ directory: join(ROOT, ".models") });
  const names = (await readdir(join(ROOT, "corpus"))).sort();
  const articles = await Promise.all(names.map((name) => Bun.file(join(ROOT, "corpus", name)).text()));
  const words = articles.join("\n").split(/\s+/);
  const tokens_of = words.map((word) => tokenizer.count(word));
  return (i, tokens) => {
    let at = (i * 997) % words.length;
    const passage: string[] = [];
    for (let left = tokens; ; at = (at + 1) % words.length) {
      left -= tokens_of[at]!;
      if (left < 0 && passage.length > 0) return passage.join(" ");
      passage.push(words[at]!);
    }
  };
}

/** A small seeded generator (https://github.com/bryc/code/blob/master/jshash/PRNGs.md): 0 to 1. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
