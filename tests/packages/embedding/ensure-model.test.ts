import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureModel, loadModel } from "#embedding";

setDefaultTimeout(60_000); // each builds the model

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-models-"));
});
afterEach(() => rm(directory, { recursive: true }));

const modelFile = (path: string) => join(directory, "Xenova/all-MiniLM-L6-v2", path);

/** The model works, and nothing else is left beside it. */
async function expectOneWholeModel(): Promise<void> {
  expect(await readdir(directory)).toEqual(["Xenova"]);
  expect(await readdir(join(directory, "Xenova"))).toEqual(["all-MiniLM-L6-v2"]);
  const model = await loadModel({ directory });
  expect(await model.embed(["a text"])).toHaveLength(1);
  model.close();
}

test("a model is built once", async () => {
  expect(await ensureModel({ directory })).toBe(true);
  expect(await ensureModel({ directory })).toBe(false);
  await expectOneWholeModel();
});

test("a model root that is not there is made", async () => {
  expect(await ensureModel({ directory: join(directory, "a/b") })).toBe(true);
});

test("two processes at once leave one whole model, built by one of them", async () => {
  const program = `
    import { ensureModel } from ${JSON.stringify(Bun.resolveSync("#embedding", import.meta.dir))};
    console.log(await ensureModel({ directory: ${JSON.stringify(directory)} }));
  `;
  const build = () => Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const outputs = await Promise.all([build(), build()].map((child) => new Response(child.stdout).text()));
  expect(outputs.sort()).toEqual(["false\n", "true\n"]);
  await expectOneWholeModel();
});

test.each([
  ["a file cut short", () => truncate(modelFile("onnx/model.onnx"), 1_000_000)],
  ["a file gone", () => rm(modelFile("tokenizer.json"))],
  ["no record of the build", () => rm(modelFile("built.json"))],
])("a model with %s is built again", async (_, damage) => {
  await ensureModel({ directory });
  await damage();
  expect(await ensureModel({ directory })).toBe(true);
  await expectOneWholeModel();
});

test("what a killed build left is removed, and a build that may still run is not", async () => {
  const [abandoned, running] = [join(directory, ".building-old"), join(directory, ".building-new")];
  await Promise.all([mkdir(join(abandoned, "new"), { recursive: true }), mkdir(running)]);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(abandoned, anHourAgo, anHourAgo);
  expect(await ensureModel({ directory })).toBe(true);
  expect((await readdir(directory)).sort()).toEqual([".building-new", "Xenova"]);
});
