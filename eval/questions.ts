/** Questions about a folder of documents, each with the document that answers it: its `questions.jsonl`. */
import { type Static, Type } from "@sinclair/typebox";
import { readJsonLines } from "./dataset.ts";

const CorpusQuestion = Type.Object({
  question: Type.String({ minLength: 1 }),
  /** The name of the file that answers it; `null` where none does. */
  article: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
});
export type CorpusQuestion = Static<typeof CorpusQuestion>;

/** @throws DatasetError if the file is missing or broken. */
export async function readQuestions(folder: string): Promise<CorpusQuestion[]> {
  return await readJsonLines(folder, "questions.jsonl", CorpusQuestion);
}
