/** What is given up for speed in int8, and what is not. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Glob } from "bun";
import { type EmbeddingModel, loadModel } from "#embedding";
import { cosine } from "./cosine.ts";
import { directory } from "./model-root.ts";

setDefaultTimeout(60_000);

/** Sentences of the shipped corpus, of many lengths. */
const sentences: string[] = [];
for (const path of [...new Glob("corpus/*.md").scanSync()].sort().slice(0, 12)) {
  const paragraphs = (await Bun.file(path).text()).split(/\n\n+/).filter((text) => !text.startsWith("#"));
  sentences.push(...paragraphs[0]!.split(/(?<=\.)\s+/).slice(0, 3), paragraphs.at(-1)!);
}

let int8: EmbeddingModel;
let fp32: EmbeddingModel;
beforeAll(async () => {
  [int8, fp32] = await Promise.all([
    loadModel({ directory, precision: "int8", batch: 16, max_block_ms: Infinity }),
    loadModel({ directory }),
  ]);
});
afterAll(() => Promise.all([int8.close(), fp32.close()]));

test("a vector is as near to that in fp32 as cosine 0.985", async () => {
  const [ours, exact] = await Promise.all([int8.embed(sentences), fp32.embed(sentences)]);
  const cosines = ours.map((vector, i) => cosine(vector, exact[i]!));
  expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.985);
});

test("a text's vector does not depend on its neighbours in the batch", async () => {
  const together = await int8.embed(sentences);
  for (const [i, sentence] of sentences.entries()) {
    const [alone] = await int8.embed([sentence]);
    expect(cosine(together[i]!, alone!)).toBeGreaterThanOrEqual(0.999999);
  }
});

test("the model's name tells the precision, so that vectors of both never meet", () => {
  expect([fp32.name, int8.name]).toEqual(["Xenova/all-MiniLM-L6-v2", "Xenova/all-MiniLM-L6-v2@int8"]);
});
