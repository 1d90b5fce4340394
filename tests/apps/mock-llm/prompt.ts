/** A prompt as the retriever writes it. */
import { buildPrompt } from "../../../apps/retriever/prompt.ts";

export const sources = [
  {
    title: "Deep learning",
    text: "Deep networks stack many layers.\nThey are one family of models of machine learning, and need\nmuch data.",
  },
  {
    title: "Machine learning",
    text: "Machine learning is the study of programs that improve with data. Supervised methods learn from labels.",
  },
  {
    title: "Queues",
    text: "A queue holds work until somebody has time for it.\n\n- Redis lists make a simple queue",
  },
];

export const promptFor = (question: string, of = sources) => buildPrompt(question, of);
