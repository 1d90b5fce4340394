import { expect, setDefaultTimeout, test } from "bun:test";
import { directory as MODEL_DIR } from "../packages/embedding/model-root.ts";
import { runCommand } from "../support/command.ts";
import { DOCUMENTS, folderOf, jsonLines, QRELS, WHOLE } from "./tiny-dataset.ts";

setDefaultTimeout(60_000);

async function evaluate(...args: string[]) {
  const env = { MODEL_DIR, QDRANT_URL: "" };
  const { out: stdout, err: stderr, code } = await runCommand("eval/main.ts", args.join(" "), env);
  return { stdout, stderr, code };
}

test("a data set is indexed once, and every side of the search is measured", async () => {
  await using folder = await folderOf(WHOLE);
  const run = () =>
    evaluate(folder.path, "--store", "sqlite", "--data-dir", `${folder.path}/index`, "--json");

  const first = await run();
  expect(first.stderr).toInclude("5 documents (5 chunks) in sqlite, 3 questions with judgements");
  expect(first.code).toBe(0);
  const report = JSON.parse(first.stdout);
  expect(Object.keys(report)).toEqual(["dense", "bm25", "fused", "search_p50_ms", "docs_per_s"]);
  for (const side of [report.dense, report.bm25, report.fused]) {
    expect(side).toEqual({
      ndcg_at_10: 1,
      ndcg_ci95: [1, 1],
      recall_at_10: 1,
      recall_at_100: 1,
      mrr_at_10: 1,
    });
  }
  expect(report.search_p50_ms).toBeGreaterThan(0);

  const second = JSON.parse((await run()).stdout);
  expect(second.docs_per_s).toBe(report.docs_per_s); // measured anew it would differ
  expect(second.fused).toEqual(report.fused);
});

test("what the index holds follows the data set: a document that is gone is not found any more", async () => {
  await using folder = await folderOf(WHOLE);
  const run = () => evaluate(folder.path, "--data-dir", `${folder.path}/index`, "--json");
  await run();
  const rest = DOCUMENTS.filter(({ _id }) => _id !== "d1");
  await Bun.write(`${folder.path}/corpus.jsonl`, jsonLines(rest));

  const { stdout, stderr } = await run();
  expect(stderr).toInclude("4 documents");
  expect(JSON.parse(stdout).fused.recall_at_100).toBeCloseTo(2 / 3, 10);
});

test("a question that is itself a document of the data set does not find itself", async () => {
  const question = { _id: "d1", text: DOCUMENTS[0]!.text };
  const files = { ...WHOLE, "queries.jsonl": jsonLines([question]), "qrels.tsv": "d1\td4\t1\n" };
  await using folder = await folderOf(files);
  const { stdout } = await evaluate(folder.path, "--data-dir", `${folder.path}/index`, "--json");
  expect(JSON.parse(stdout).fused.recall_at_100).toBe(1);
  expect(JSON.parse(stdout).dense.ndcg_at_10).toBeGreaterThan(0);
});

test("without --json the three sides stand side by side", async () => {
  await using folder = await folderOf(WHOLE);
  const { stdout } = await evaluate(folder.path, "--data-dir", `${folder.path}/index`);
  expect(stdout).toMatch(/dense +1\.0000 .*\nBM25 +1\.0000 .*\nfused +1\.0000 .*\nsearch: P50 .* ms/);
});

test.each([
  ["a folder that is not there", ["/nowhere/at/all"], "is not a folder"],
  ["no folder", [], "which folder?"],
  ["an unknown store", ["/tmp", "--store", "lucene"], "sqlite or qdrant"],
  ["an unknown flag", ["/tmp", "--deep"], "--deep"],
])("%s is refused with exit code 2 and nothing on stdout", async (_, args, message) => {
  const { stdout, stderr, code } = await evaluate(...args);
  expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
  expect(stderr).toInclude(message);
});

test("a broken data set, and Qdrant without an address, are refused with exit code 2", async () => {
  await using folder = await folderOf({ ...WHOLE, "qrels.tsv": `${QRELS}broken\n` });
  expect(await evaluate(folder.path)).toMatchObject({ code: 2, stdout: "" });
  await using whole = await folderOf(WHOLE);
  const { stderr, code } = await evaluate(whole.path, "--store", "qdrant");
  expect(code).toBe(2);
  expect(stderr).toInclude("QDRANT_URL");
});
