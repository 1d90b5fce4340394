import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { DatasetError, readDataset } from "../../eval/dataset.ts";
import { DOCUMENTS, folderOf, QRELS, WHOLE } from "./tiny-dataset.ts";

async function read(files: Record<string, string | Uint8Array>) {
  await using folder = await folderOf(files);
  return await readDataset(folder.path);
}

async function failure(files: Record<string, string | Uint8Array>): Promise<string> {
  const error = await read(files).then(
    () => undefined,
    (error) => error,
  );
  expect(error).toBeInstanceOf(DatasetError);
  return error.message;
}

const without = (name: string) => Object.fromEntries(Object.entries(WHOLE).filter(([key]) => key !== name));

test("documents and the questions that somebody judged are read, with graded judgements", async () => {
  const { documents, questions } = await read(WHOLE);
  expect(documents.map(({ id, title, content }) => ({ _id: id, title, text: content }))).toEqual(
    DOCUMENTS.map((document) => ({ ...document, text: document.text || document.title })),
  );
  expect(questions.map(({ id }) => id)).toEqual(["q1", "q2", "q3"]);
  expect([...questions[0]!.judgements]).toEqual([
    ["d1", 2],
    ["d4", 0],
  ]);
});

test("a question whose documents are all judged 0 does not count", async () => {
  const { questions } = await read({ ...WHOLE, "qrels.tsv": "q1\td1\t0\nq2\td2\t1\n" });
  expect(questions.map(({ id }) => id)).toEqual(["q2"]);
});

test("compressed files, Windows line ends and BEIR's own place for judgements are read alike", async () => {
  const corpus = gzipSync(String(WHOLE["corpus.jsonl"]).replaceAll("\n", "\r\n"));
  const files = { ...without("corpus.jsonl"), "corpus.jsonl.gz": corpus };
  const { "qrels.tsv": _, ...rest } = files as Record<string, string | Uint8Array>;
  expect((await read({ ...rest, "qrels/test.tsv": QRELS })).questions).toEqual((await read(WHOLE)).questions);
});

test("a folder that is not there is named", async () => {
  expect(readDataset("/nowhere/at/all")).rejects.toThrow(/\/nowhere\/at\/all is not a folder/);
});

test.each(["corpus.jsonl", "queries.jsonl", "qrels.tsv"])("a folder without %s says so", async (name) => {
  expect(await failure(without(name))).toInclude(`has no ${name}`);
});

test.each([
  ["a line that is not JSON", "corpus.jsonl", '{"_id": "1", "text": "a"}\n{"_id": \n', "line 2: not JSON"],
  ["a document without a text", "corpus.jsonl", '{"_id": "1"}\n', "line 1: /text"],
  ["a question whose id is a number", "queries.jsonl", '{"_id": 1, "text": "a"}\n', "line 1: /_id"],
  ["an id that comes twice", "corpus.jsonl", '{"_id":"1","text":"a"}\n{"_id":"1","text":"b"}\n', '"1" twice'],
  ["a corpus of nothing", "corpus.jsonl", "\n", "no documents"],
  ["a judgement with spaces for tabs", "qrels.tsv", "q1 d1 1\n", "line 1: not a question id"],
  ["a judgement that is no number", "qrels.tsv", `${QRELS}q1\td1\tgood\n`, "line 7: not a question id"],
  ["judgements of other questions", "qrels.tsv", "x\td1\t1\n", "are they of one data set?"],
])("%s is an error that names the file and line", async (_, name, content, message) => {
  const said = await failure({ ...WHOLE, [name]: content });
  expect(said).toInclude(message);
});

test("a file that only looks compressed is an error", async () => {
  const files = { ...without("corpus.jsonl"), "corpus.jsonl.gz": "plain" };
  expect(await failure(files)).toInclude("no gzip of UTF-8 text");
});
