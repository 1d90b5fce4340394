/** What the contenders carry: a question, bare or with its vector, through three stages that work at once. */
import type { TSchema } from "@sinclair/typebox";
import {
  type AnswerCompletion,
  type Contract,
  contract,
  EncoderIn,
  packEmbedding,
  RetrieverIn,
} from "#contracts";

export const STAGES = ["encoder", "retriever", "llm"] as const;
export type BenchStage = (typeof STAGES)[number];

export type Size = "0.6 KB" | "2.6 KB";
export const SIZES: readonly Size[] = ["0.6 KB", "2.6 KB"];

/** A question of the length that people paste: with its envelope it makes a message of 0.6 KB. */
const QUERY = "How does a queue keep what a worker held when it was killed in the middle of it? ".repeat(4);
const ANSWER =
  "It lies in a list of that worker's own, and the others give it back when its lease ends [1]. ".repeat(5);
const VECTOR = packEmbedding(new Float32Array(384).map((_, i) => Math.sin(i) / 14));

export type Job = EncoderIn & { readonly embedding?: string };

/** The contract of every message of that size: those of the line's first two queues. */
export function contractOf(size: Size): Contract<TSchema> {
  return contract(size === "0.6 KB" ? EncoderIn : RetrieverIn);
}

export function newJob(size: Size, reply_to: string): Job {
  const submitted_at = Date.now();
  const job = {
    job_id: crypto.randomUUID(),
    query: QUERY,
    top_k: 5,
    selected_replica: "http://127.0.0.1:11434",
    submitted_at,
    deadline: submitted_at + 60_000,
    reply_to,
    timings: {},
  };
  return size === "0.6 KB" ? job : { ...job, embedding: VECTOR };
}

/** The work of the first two stages. */
export function passOn(job: Job): Job {
  return { ...job };
}

/** The work of the last stage. */
export function answer({ job_id, timings, selected_replica }: Job): AnswerCompletion {
  return { job_id, timings, status: "ok", answer: ANSWER, sources: [], selected_replica, worker: "bench" };
}
