/**
 * `bun run eval DATASET_DIR`: how well the product's retrieval finds what a data set says is relevant.
 *
 * 1. The data set is read, and indexed as `bun run ingest` indexes, unless an earlier run has done so.
 * 2. Each question is put to the store three times: by vectors alone, by words alone, and as a retriever does.
 * 3. The rankings are measured against the data set's judgements.
 * 4. Exit code 0; 1 if the store or the model cannot be used, 2 for a command, a setting or a data set that makes no sense.
 */
import { join } from "node:path";
import { ModelError } from "#embedding";
import { type SearchRequest, StoreError } from "#vector-store";
import { commandOrExit, OPTIONS_HELP } from "./command-line.ts";
import { type Dataset, DatasetError, readDataset } from "./dataset.ts";
import { indexDocuments } from "./index-documents.ts";
import { embedQuestions, rankDocuments, searchP50 } from "./rankings.ts";
import { qualityOf, RANKING_DEPTH, type Report, reportText } from "./report.ts";
import { openWorkbench, type Workbench } from "./workbench.ts";

const USAGE = `Usage: bun run eval DATASET_DIR [--store sqlite|qdrant] [--data-dir DIR] [--json]

Measures retrieval on a data set in BEIR's layout: DATASET_DIR holds corpus.jsonl, queries.jsonl and qrels.tsv, each
plain or with .gz. Prints nDCG@10, recall and MRR of search by vectors, by words (BM25), and of both fused by the
current settings. The first run indexes the data set, minutes for thousands of documents; the index is kept.

${OPTIONS_HELP}`;

const command = commandOrExit(USAGE, { least: 1, most: 1 });
try {
  const dataset = await readDataset(command.paths[0]!);
  const workbench = await openWorkbench(dataset.name, command);
  const report = await evaluate(dataset, workbench);
  console.log(command.json ? JSON.stringify(report) : reportText(report));
  await workbench.close();
} catch (error) {
  const expected = [DatasetError, StoreError, ModelError].some((kind) => error instanceof kind);
  if (!expected) throw error;
  console.error((error as Error).message);
  process.exitCode = error instanceof DatasetError ? 2 : 1;
}

async function evaluate(dataset: Dataset, workbench: Workbench): Promise<Report> {
  const { store, model, data_dir } = workbench;
  const { kind } = await store.info();
  const docs_per_s = await indexDocuments(
    workbench,
    dataset.documents,
    join(data_dir, `indexing-rate-${kind}.json`),
  );
  const { documents, chunks } = await store.info();
  const { name, questions } = dataset;
  console.error(
    `${name}: ${documents} documents (${chunks} chunks) in ${kind}, ${questions.length} questions with judgements`,
  );
  const asked = await embedQuestions(model, questions);
  return {
    dense: qualityOf(questions, await rankAll("dense")),
    bm25: qualityOf(questions, await rankAll("text")),
    fused: qualityOf(questions, await rankAll("hybrid")),
    search_p50_ms: await searchP50(store, asked),
    docs_per_s,
  };

  async function rankAll(mode: SearchRequest["mode"]): Promise<string[][]> {
    const rankings: string[][] = [];
    for (const question of asked) rankings.push(await rankDocuments(store, mode, question, RANKING_DEPTH));
    return rankings;
  }
}
