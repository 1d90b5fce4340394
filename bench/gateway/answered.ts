/** What the line answers at once where it is stubbed: as long as an answer with five passages. */
import type { AnswerCompletion } from "#contracts";
import { PASSAGE } from "../passage.ts";

const timing = { waited: 0.4, worked: 6.1 };

export const answered: Omit<AnswerCompletion, "job_id"> = {
  status: "ok",
  answer: "Machine learning finds a function from examples, instead of being given it [1][2].",
  selected_replica: "http://127.0.0.1:11434",
  worker: "llm_generator_1",
  sources: Array.from({ length: 5 }, (_, position) => ({
    id: `machine-learning.md#${position}`,
    title: "Machine learning",
    source: "corpus/machine-learning.md",
    score: 0.5,
    text: PASSAGE,
    document_id: "machine-learning.md",
    position,
    heading_path: ["Machine learning"],
  })),
  timings: { encoder: timing, retriever: timing, llm: timing },
};
