/**
 * `bun run eval:answers [FOLDER]`: whether questions find the article that answers them, and whether those that none
 * answers are told so.
 *
 * 1. The folder's documents are indexed as `bun run ingest` indexes, unless an earlier run has done so.
 * 2. Each question of its questions.jsonl goes the retriever's way: search, reranker, the sources near enough, the prompt.
 * 3. The answer is drawn from the prompt as the mock replica does, since it is the same each time; an LLM may say that the
 *    sources do not hold the answer where this one still finds a sentence.
 * 4. Exit code 0; 1 if the store or the model cannot be used, 2 for a command, a setting or a folder that makes no sense.
 */
import { basename, join, resolve } from "node:path";
import { Type } from "@sinclair/typebox";
import { DEFAULT_TENANT, DEFAULT_TOP_K } from "#contracts";
import { ModelError } from "#embedding";
import { configOrExit } from "#runtime";
import { StoreError } from "#vector-store";
import { FileError, findDocuments, readDocument } from "../apps/indexer/files.ts";
import { answerFrom, NO_ANSWER } from "../apps/mock-llm/answer.ts";
import { retrieverSettings } from "../apps/retriever/config.ts";
import { findSources, type RetrievalTools } from "../apps/retriever/find-sources.ts";
import { buildPrompt } from "../apps/retriever/prompt.ts";
import { rerankers } from "../apps/retriever/reranker.ts";
import { type AnsweredQuestion, type AnswerReport, answerReport, answerReportText } from "./answer-report.ts";
import { commandOrExit, OPTIONS_HELP } from "./command-line.ts";
import { DatasetError } from "./dataset.ts";
import { indexDocuments } from "./index-documents.ts";
import { type CorpusQuestion, readQuestions } from "./questions.ts";
import { openWorkbench, type Workbench } from "./workbench.ts";

const USAGE = `Usage: bun run eval:answers [FOLDER] [--store sqlite|qdrant] [--data-dir DIR] [--json]

Asks the questions of FOLDER/questions.jsonl over the documents in FOLDER, by default the shipped corpus. A line of it is
{"question": "...", "article": "file.md"}, or with null for an article where no document answers the question.

${OPTIONS_HELP}`;

const command = commandOrExit(USAGE, { least: 0, most: 1 });
const folder = command.paths[0] ?? "corpus";
const config = configOrExit(
  Type.Pick(retrieverSettings, ["DATA_DIR", "MIN_SCORE", "PROMPT_TOKENS", "RERANKER"]),
);
try {
  const questions = await readQuestions(folder);
  const workbench = await openWorkbench(basename(resolve(folder)), command);
  const report = await evaluate(questions, workbench);
  console.log(command.json ? JSON.stringify(report) : answerReportText(report));
  await workbench.close();
} catch (error) {
  const expected = [DatasetError, FileError, StoreError, ModelError].some((kind) => error instanceof kind);
  if (!expected) throw error;
  console.error((error as Error).message);
  process.exitCode = error instanceof DatasetError ? 2 : 1;
}

async function evaluate(questions: readonly CorpusQuestion[], workbench: Workbench): Promise<AnswerReport> {
  const { store, model, data_dir } = workbench;
  const found = await findDocuments([folder]);
  const documents = await Promise.all([...found.documents].map(([id, format]) => readDocument(id, format)));
  await indexDocuments(workbench, documents, join(data_dir, "indexing-rate.json"));
  const tools: RetrievalTools = {
    search: (request) => store.search(request),
    reranker: rerankers[config.RERANKER],
    limits: { min_cosine: config.MIN_SCORE, max_tokens: config.PROMPT_TOKENS },
  };
  const vectors = await model.embed(questions.map(({ question }) => question));
  const answered: AnsweredQuestion[] = [];
  for (const [at, { question: text, article }] of questions.entries()) {
    const request = { tenant: DEFAULT_TENANT, text, vector: vectors[at]!, top_k: DEFAULT_TOP_K };
    const sources = await findSources(tools, request, AbortSignal.timeout(60_000));
    const abstained = sources.length === 0 || answerFrom(buildPrompt(text, sources)) === NO_ANSWER;
    answered.push({
      question: text,
      article,
      sources: sources.map(({ source }) => basename(source)),
      abstained,
    });
  }
  return answerReport(answered);
}
