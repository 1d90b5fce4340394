import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, rm, truncate, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureModel, loadModel } from "#embedding";
import { isWholeModelDirectory } from "../../../packages/embedding/model-directory.ts";

setDefaultTimeout(60_000); // some build the model

/** A model root with the model in it, and what was said of its first and second build. */
let root: string;
let built: boolean[];
/** A root of each test's own. */
let directory: string;

beforeAll(async () => {
  root = join(await mkdtemp(join(tmpdir(), "ragline-models-")), "a/b");
  built = [await ensureModel({ directory: root }), await ensureModel({ directory: root })];
});
afterAll(() => rm(join(root, "../.."), { recursive: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ragline-models-"));
});
afterEach(() => rm(directory, { recursive: true }));

const FOLDER = "Xenova/all-MiniLM-L6-v2";
const modelFile = (path: string) => join(directory, FOLDER, path);

/** The model works, and nothing else is left beside it. */
async function expectOneWholeModel(directory: string): Promise<void> {
  expect(await readdir(directory)).toEqual(["Xenova"]);
  expect(await readdir(join(directory, "Xenova"))).toEqual(["all-MiniLM-L6-v2"]);
  const model = await loadModel({ directory });
  expect(await model.embed(["a text"])).toHaveLength(1);
  await model.close();
}

test("a model is built once, in a root that is made where it is not there", async () => {
  expect(built).toEqual([true, false]);
  await expectOneWholeModel(root);
});

test("two processes at once leave one whole model, built by one of them", async () => {
  const program = `
    import { ensureModel } from ${JSON.stringify(Bun.resolveSync("#embedding", import.meta.dir))};
    console.log(await ensureModel({ directory: ${JSON.stringify(directory)} }));
  `;
  const build = () => Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const outputs = await Promise.all([build(), build()].map((child) => new Response(child.stdout).text()));
  expect(outputs.sort()).toEqual(["false\n", "true\n"]);
  await expectOneWholeModel(directory);
});

test.each([
  ["a file cut short", () => truncate(modelFile("onnx/model.onnx"), 1_000_000)],
  ["a file gone", () => rm(modelFile("tokenizer.json"))],
  ["no record of the build", () => rm(modelFile("built.json"))],
])("a model with %s is not taken for a whole one", async (_, damage) => {
  await cp(root, directory, { recursive: true });
  expect(await isWholeModelDirectory(modelFile("."))).toBe(true);
  await damage();
  expect(await isWholeModelDirectory(modelFile("."))).toBe(false);
});

test("one that is not whole is built again; what a killed build left is removed, and what may still run is not", async () => {
  await mkdir(modelFile("of-another-form"), { recursive: true });
  const [abandoned, running] = [join(directory, ".building-old"), join(directory, ".building-new")];
  await Promise.all([mkdir(join(abandoned, "new"), { recursive: true }), mkdir(running)]);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(abandoned, anHourAgo, anHourAgo);
  expect(await ensureModel({ directory })).toBe(true);
  expect((await readdir(directory)).sort()).toEqual([".building-new", "Xenova"]);
  await rm(running, { recursive: true });
  await expectOneWholeModel(directory);
});
