/** The questions of a data set put to a store, as a retriever puts them, and its chunks made a ranking of documents. */
import { DEFAULT_TENANT, DEFAULT_TOP_K } from "#contracts";
import type { EmbeddingModel } from "#embedding";
import { CANDIDATES, type SearchHit, type SearchRequest, type VectorStore } from "#vector-store";
import type { EvalQuestion } from "./dataset.ts";

export interface AskedQuestion extends EvalQuestion {
  readonly vector: Float32Array;
}

export async function embedQuestions(
  model: EmbeddingModel,
  questions: readonly EvalQuestion[],
): Promise<AskedQuestion[]> {
  const vectors = await model.embed(questions.map(({ text }) => text));
  return questions.map((question, at) => ({ ...question, vector: vectors[at]! }));
}

/**
 * Documents in the order of their best chunks, `depth` of them if there are so many. Chunks are searched for as deep as the
 * sides of a hybrid search are; where these are of too few documents, those of deeper searches come after them, which
 * cannot change what a retriever would see first.
 */
export async function rankDocuments(
  store: VectorStore,
  mode: SearchRequest["mode"],
  question: AskedQuestion,
  depth: number,
): Promise<string[]> {
  const ranking = new Set<string>();
  for (let top_k = CANDIDATES; ; top_k *= 2) {
    const hits = await store.search(requestFor(question, top_k, mode));
    for (const id of documentsOf(hits)) {
      // A data set whose questions are its documents (ArguAna, Quora) does not ask for the question itself.
      if (id !== question.id) ranking.add(id);
    }
    if (ranking.size >= depth || hits.length < top_k) return [...ranking].slice(0, depth);
  }
}

/** Ids of the hits' documents, each once, where its first hit is. */
export function documentsOf(hits: readonly Pick<SearchHit, "document_id">[]): string[] {
  return [...new Set(hits.map(({ document_id }) => document_id))];
}

/** The median time of a search such as a retriever makes, in ms. */
export async function searchP50(store: VectorStore, questions: readonly AskedQuestion[]): Promise<number> {
  const times: number[] = [];
  for (const question of questions) {
    const started_ms = performance.now();
    await store.search(requestFor(question, DEFAULT_TOP_K));
    times.push(performance.now() - started_ms);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}

function requestFor(
  { text, vector }: AskedQuestion,
  top_k: number,
  mode?: SearchRequest["mode"],
): SearchRequest {
  return { tenant: DEFAULT_TENANT, text, vector, top_k, mode };
}
