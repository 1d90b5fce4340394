/** Valid messages to start from. */
import {
  EMBEDDING_DIMENSIONS,
  type EncoderIn,
  type LlmIn,
  packEmbedding,
  type RetrieverIn,
} from "#contracts";

export function encoderJob(more: Partial<EncoderIn> = {}): EncoderIn {
  return {
    job_id: crypto.randomUUID(),
    query: "What is a queue?",
    top_k: 5,
    selected_replica: "http://127.0.0.1:1",
    submitted_at: Date.now(),
    deadline: Date.now() + 60_000,
    reply_to: "gateway-test",
    timings: {},
    ...more,
  };
}

export function retrieverJob(more: Partial<RetrieverIn> = {}): RetrieverIn {
  const vector = new Float32Array(EMBEDDING_DIMENSIONS).fill(1 / Math.sqrt(EMBEDDING_DIMENSIONS));
  return { ...encoderJob(), embedding: packEmbedding(vector), ...more };
}

export function llmJob(more: Partial<LlmIn> = {}): LlmIn {
  return { ...encoderJob(), contexts: [], augmented_prompt: "Question: What is a queue?", ...more };
}
