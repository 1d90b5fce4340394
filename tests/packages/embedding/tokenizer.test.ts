import { beforeAll, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel, loadTokenizer, type Tokenizer } from "#embedding";
import { directory } from "./model-root.ts";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await loadTokenizer({ directory });
});

test.each([
  ["", 0],
  [" \n\t ", 0],
  ["What is machine learning?", 5],
  ["tokenization", 2],
  ["naïve Café", 2],
  ["e\u0301", 1],
  ["机器学习", 4],
  ["𠀀𠀁", 2],
  ["x".repeat(101), 1],
  ["a, b. c!", 6],
])("%j has %i tokens", (text, tokens) => {
  expect(tokenizer.count(text)).toBe(tokens);
});

test("a long text is counted whole", () => {
  expect(tokenizer.count("word ".repeat(5000))).toBe(5000);
});

test("the model counts the same", async () => {
  const model = await loadModel({ directory });
  const text = "Queues keep what workers cannot take yet: Dvořák's 机器 🚀, and `code()`.";
  expect(model.countTokens(text)).toBe(tokenizer.count(text));
  await model.close();
});

test("a tokenizer that is not there says to run set-up", async () => {
  const loading = loadTokenizer({ directory: join(tmpdir(), "no-such-models") });
  await expect(loading).rejects.toThrow("npm run setup");
});
