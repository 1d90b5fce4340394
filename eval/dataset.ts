/**
 * A relevance data set in BEIR's layout (https://github.com/beir-cellar/beir), a folder of three files:
 *
 *   corpus.jsonl   one document a line:  {"_id": "...", "title": "...", "text": "..."}
 *   queries.jsonl  one question a line:  {"_id": "...", "text": "..."}
 *   qrels.tsv      one judgement a line: question id, document id, relevance; the header is optional
 *
 * Each may be compressed, with `.gz` after its name. BEIR's own archives have the judgements in `qrels/test.tsv`, which is
 * read where there is no `qrels.tsv`.
 */
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { SourceDocument } from "../apps/indexer/document.ts";
import type { Judgements } from "./metrics.ts";

const DocumentLine = Type.Object({
  _id: Type.String({ minLength: 1 }),
  title: Type.Optional(Type.String()),
  text: Type.String(),
});

export interface EvalQuestion {
  readonly id: string;
  readonly text: string;
  readonly judgements: Judgements;
}
const QuestionLine = Type.Object({ _id: Type.String({ minLength: 1 }), text: Type.String({ minLength: 1 }) });

export interface Dataset {
  /** What its folder is called. */
  readonly name: string;
  /** As the indexer takes them in; one without a title has none, rather than its id for one. */
  readonly documents: readonly SourceDocument[];
  /** Those for which some document is judged relevant: of the others nothing can be measured. */
  readonly questions: readonly EvalQuestion[];
}

/** A folder that holds no data set; the message says what is wrong with which file. */
export class DatasetError extends Error {
  override name = "DatasetError";
}

/** @throws DatasetError if a file is missing, broken, or nothing in it can be measured. */
export async function readDataset(directory: string): Promise<Dataset> {
  const info = await stat(directory).catch(() => undefined);
  if (!info?.isDirectory()) {
    throw new DatasetError(`${directory} is not a folder: name one that holds ${LAYOUT}`);
  }
  const corpus = await readJsonLines(directory, "corpus.jsonl", DocumentLine);
  const lines = await readJsonLines(directory, "queries.jsonl", QuestionLine);
  const judgements = await readJudgements(directory);
  refuseTwice(corpus, `${directory}/corpus.jsonl`);
  refuseTwice(lines, `${directory}/queries.jsonl`);

  const questions = lines.flatMap(({ _id: id, text }) => {
    const judged = judgements.get(id);
    return judged && [...judged.values()].some((relevance) => relevance > 0)
      ? [{ id, text, judgements: judged }]
      : [];
  });
  if (corpus.length === 0) throw new DatasetError(`${directory}/corpus.jsonl has no documents`);
  if (questions.length === 0) {
    throw new DatasetError(
      `${directory}: no question of queries.jsonl has a relevant document in qrels.tsv: are they of one data set?`,
    );
  }
  return { name: basename(resolve(directory)), documents: corpus.map(sourceOf), questions };
}

/** Without a text, the title is all that the document says. */
function sourceOf({ _id: id, title = "", text }: Static<typeof DocumentLine>): SourceDocument {
  return { id, source: id, title, format: "text", content: text.trim() ? text : title };
}

const LAYOUT = "corpus.jsonl, queries.jsonl and qrels.tsv (BEIR's layout)";

async function readText(directory: string, names: readonly string[]): Promise<[path: string, text: string]> {
  for (const name of names.flatMap((name) => [name, `${name}.gz`])) {
    const path = join(directory, name);
    const bytes = await Bun.file(path)
      .bytes()
      .catch((error) => {
        if (error.code === "ENOENT") return undefined;
        throw new DatasetError(`${path} cannot be read: ${error.message}`, { cause: error });
      });
    if (bytes) return [path, decode(path, bytes)];
  }
  throw new DatasetError(`${directory} has no ${names[0]}: a data set is ${LAYOUT}`);
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    const plain = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    throw new DatasetError(`${path} is no ${path.endsWith(".gz") ? "gzip of " : ""}UTF-8 text`, {
      cause: error,
    });
  }
}

/**
 * The values in `name` or `name.gz`, one a line.
 * @throws DatasetError if there is no such file, or for the first line that does not fit the schema.
 */
export async function readJsonLines<S extends TSchema>(
  directory: string,
  name: string,
  schema: S,
): Promise<Static<S>[]> {
  const [path, text] = await readText(directory, [name]);
  const check = TypeCompiler.Compile(schema);
  return nonBlankLines(text).map(({ line, number }) => {
    const value = parseJson(line);
    if (check.Check(value)) return value;
    const wrong = check.Errors(value).First();
    const reason = value === undefined ? "not JSON" : `${wrong?.path || "the line"}: ${wrong?.message}`;
    throw new DatasetError(`${path}, line ${number}: ${reason}`);
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** By question id, then by document id. */
async function readJudgements(directory: string): Promise<Map<string, Map<string, number>>> {
  const [path, text] = await readText(directory, ["qrels.tsv", "qrels/test.tsv"]);
  const judgements = new Map<string, Map<string, number>>();
  for (const { line, number } of nonBlankLines(text)) {
    const [question = "", document = "", score = "", ...more] = line.split("\t").map((field) => field.trim());
    const relevance = Number(score);
    const is_header = number === 1 && score !== "" && Number.isNaN(relevance);
    if (is_header) continue;
    if (!question || !document || !score || !Number.isFinite(relevance) || more.length > 0) {
      throw new DatasetError(
        `${path}, line ${number}: not a question id, a document id and a number, with tabs between`,
      );
    }
    const judged = judgements.get(question) ?? new Map();
    judgements.set(question, judged.set(document, relevance));
  }
  return judgements;
}

function nonBlankLines(text: string): { line: string; number: number }[] {
  return text
    .split(/\r?\n/)
    .map((line, at) => ({ line, number: at + 1 }))
    .filter(({ line }) => line.trim() !== "");
}

function refuseTwice(lines: readonly { readonly _id: string }[], path: string): void {
  const seen = new Set<string>();
  for (const { _id } of lines) {
    if (seen.has(_id)) throw new DatasetError(`${path} has "${_id}" twice: ids are unique`);
    seen.add(_id);
  }
}
