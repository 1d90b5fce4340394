import { expect, test } from "bun:test";
import { packEmbedding } from "#contracts";
import { ensureModel, loadModel } from "#embedding";
import { QuestionCache } from "../../../apps/encoder/question-cache.ts";

await ensureModel({ directory: ".models" });
const model = await loadModel({ directory: ".models" });

/** The real model, with what it was asked for. */
function counted() {
  const asked: string[] = [];
  const embed = (texts: readonly string[]) => {
    asked.push(...texts);
    return model.embed(texts);
  };
  return { asked, embed };
}

test("vectors come in the questions' order, equal ones encoded once", async () => {
  const { asked, embed } = counted();
  const packed = await new QuestionCache({ embed }, 10).packed(["a cat", "a dog", "a cat"]);
  expect(asked).toEqual(["a cat", "a dog"]);
  const [cat, dog] = await model.embed(["a cat", "a dog"]);
  expect(packed).toEqual([cat!, dog!, cat!].map(packEmbedding));
});

test("a question among the last ones asked is not encoded again; an older one is", async () => {
  const { asked, embed } = counted();
  const cache = new QuestionCache({ embed }, 2);
  await cache.packed(["one", "two"]);
  await cache.packed(["one"]);
  await cache.packed(["three"]);
  await cache.packed(["one", "two"]);
  expect(asked).toEqual(["one", "two", "three", "two"]);
});

test("size 0 keeps nothing", async () => {
  const { asked, embed } = counted();
  const cache = new QuestionCache({ embed }, 0);
  await cache.packed(["one"]);
  await cache.packed(["one", "one"]);
  expect(asked).toEqual(["one", "one"]);
});
