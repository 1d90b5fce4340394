import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_MODEL, type EmbeddingModel, loadModel, ModelError, type ModelRun } from "#embedding";
import { cosine } from "./cosine.ts";
import { directory } from "./model-root.ts";

setDefaultTimeout(60_000);

describe("a loaded model", () => {
  let model: EmbeddingModel;
  beforeAll(async () => {
    model = await loadModel({ directory });
  });
  afterAll(() => model.close());

  test("says what it is", () => {
    expect(model).toMatchObject({ name: DEFAULT_MODEL, dimensions: 384, window: 256 });
  });

  test("gives vectors of unit length, for an empty text as well", async () => {
    for (const vector of await model.embed(["What is a queue?", "", "word ".repeat(1000)])) {
      expect(vector).toBeInstanceOf(Float32Array);
      expect(vector.length).toBe(384);
      expect(vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
    }
  });

  test("gives no vectors for no texts", async () => {
    expect(await model.embed([])).toEqual([]);
  });

  test("finds a paraphrase nearer than another subject", async () => {
    const [question, paraphrase, other] = await model.embed([
      "How do I make a web service faster?",
      "Ways to lower the response time of an HTTP API",
      "The cat sleeps on the warm roof",
    ]);
    expect(cosine(question!, paraphrase!)).toBeGreaterThan(cosine(question!, other!) + 0.3);
  });

  test("keeps the order, and a text's vector does not depend on its neighbours", async () => {
    const texts = [40, 1, 300, 3, 0, 120, 2, 41, 5, 90, 4, 254, 7, 6, 12, 9, 10, 11, 8, 13].map((words, i) =>
      `number ${i} `.repeat(words),
    );
    const together = await model.embed(texts);
    for (const [i, text] of texts.entries()) {
      const [alone] = await model.embed([text]);
      expect(cosine(together[i]!, alone!)).toBeGreaterThan(0.99999);
    }
  });

  test("serves callers that overlap", async () => {
    const texts = ["first", "second", "third"];
    const overlapping = await Promise.all(texts.map((text) => model.embed([text])));
    for (const [i, vector] of (await model.embed(texts)).entries()) {
      expect(cosine(vector, overlapping[i]![0]!)).toBeGreaterThan(0.99999);
    }
  });

  test("leaves the event loop free while it works", async () => {
    let turns = 0;
    let working = true;
    const turn = () => {
      turns++;
      if (working) setImmediate(turn);
    };
    setImmediate(turn);
    await model.embed(["word ".repeat(254)]);
    working = false;
    expect(turns).toBeGreaterThan(20);
  });

  test("does not see what is past the window", async () => {
    const [full, longer, shorter] = await model.embed([254, 5000, 20].map((n) => "word ".repeat(n)));
    expect(cosine(full!, longer!)).toBeGreaterThan(0.99999);
    expect(cosine(full!, shorter!)).toBeLessThan(0.9999);
  });

  test("counts tokens without special ones, past the window too", () => {
    expect(model.countTokens("What is machine learning?")).toBe(5);
    expect(model.countTokens("word ".repeat(1000))).toBe(1000);
  });
});

test("loading and embedding print nothing, and keep no process alive", async () => {
  const program = `
    import { loadModel } from ${JSON.stringify(Bun.resolveSync("#embedding", import.meta.dir))};
    const model = await loadModel({ directory: ${JSON.stringify(directory)}, threads: 2 });
    const longer = (n) => model.embed(["a text ".repeat(n)]);
    await longer(1);
    await Promise.all([longer(2), longer(3), longer(4)]);
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
  const printed = [child.stdout, child.stderr].map((stream) => new Response(stream).text());
  expect(await Promise.all([...printed, child.exited])).toEqual(["", "", 0]);
});

test.each([
  ["as short as it can be, each text is one of its own", 1, [1, 1, 1, 1, 1, 1, 1, 1]],
  ["without a bound, a full batch", Infinity, [8]],
])("an inference may take so long: %s", async (_, max_block_ms, batches) => {
  const runs: ModelRun[] = [];
  const observe = (run: ModelRun) => runs.push(run);
  const model = await loadModel({ directory, threads: 1, max_block_ms, observe });
  await model.embed(Array.from({ length: 8 }, (_, i) => `${i} ${"word ".repeat(50)}`));
  expect(runs.map((run) => run.texts)).toEqual(batches);
  expect(runs.reduce((sum, run) => sum + run.tokens, 0)).toBe(8 * 53);
  await model.close();
});

test("texts are shared out among the threads, one batch each; a few short ones are not", async () => {
  const runs: ModelRun[] = [];
  const observe = (run: ModelRun) => runs.push(run);
  const model = await loadModel({ directory, threads: 2, batch: 16, max_block_ms: Infinity, observe });
  await model.embed(Array.from({ length: 16 }, (_, i) => `${i} ${"word ".repeat(10)}`));
  await model.embed(["one", "two", "three"]);
  const [one, other, ...few] = runs.map((run) => run.texts);
  expect(one! + other!).toBe(16);
  expect(Math.max(one!, other!)).toBeLessThan(11);
  expect(few).toEqual([3]);
  await model.close();
});

describe("a model that is of no use", () => {
  test("when it is not built: says to run set-up", async () => {
    const loading = loadModel({ directory: join(tmpdir(), "no-such-models") });
    await expect(loading).rejects.toThrow("npm run setup");
    await expect(loading).rejects.toBeInstanceOf(ModelError);
  });

  test("when its vectors are of another size: is refused before it is loaded", async () => {
    await using root = await temporaryDirectory();
    await mkdir(join(root.path, "Somebody/wide-model"), { recursive: true });
    await Bun.write(join(root.path, "Somebody/wide-model/config.json"), '{"hidden_size": 768}');
    const loading = loadModel({ directory: root.path, name: "Somebody/wide-model" });
    await expect(loading).rejects.toThrow("gives 768 dimensions, and Ragline's vectors have 384");
  });
});

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), "ragline-model-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
