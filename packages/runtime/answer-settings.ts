/** What an answer depends on beside the question and the corpus: set the same for whoever makes it and whoever keeps it. */
import { Type } from "@sinclair/typebox";

/** Of the LLM workers, and of a gateway that keeps answers. */
export const llmModelSettings = {
  LLM_API: Type.Union([Type.Literal("ollama"), Type.Literal("ollama-chat"), Type.Literal("openai")], {
    default: "ollama",
    description:
      "What the replicas speak: `ollama` (/api/generate), `ollama-chat` (/api/chat) or `openai` (/v1/chat/completions: llama.cpp, vLLM)",
  }),
  LLM_MODEL: Type.String({
    minLength: 1,
    default: "llama3.2",
    description: "Model that the replicas are asked for",
  }),
};

/** Of the retriever, and of a gateway that keeps answers. */
export const promptSettings = {
  RERANKER: Type.Union([Type.Literal("none")], {
    default: "none",
    description: "What has the last word on the order of the sources: none leaves it to the search",
  }),
  MIN_SCORE: Type.Number({
    minimum: -1,
    maximum: 1,
    default: 0.3,
    description: "Least cosine to the question that a source must have; -1 takes whatever is nearest",
  }),
  PROMPT_TOKENS: Type.Integer({
    minimum: 64,
    default: 2048,
    description:
      "Most tokens of sources in a prompt, in the embedding model's tokens; those beyond are left out",
  }),
};
