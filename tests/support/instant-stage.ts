/** Stages around which nothing but the line is real: the stage that the command line names, with handlers that hardly work. */

import { Type } from "@sinclair/typebox";
import {
  completions,
  contract,
  EMBEDDING_DIMENSIONS,
  EncoderIn,
  type LlmIn,
  packEmbedding,
  queues,
  type RetrieverIn,
} from "#contracts";
import { appSettings, configOrExit, healthSettings, leaseSettings, redisSettings, runStage } from "#runtime";

export interface InstantHandlers {
  /** Awaited before a batch gets its vectors, all the same. */
  readonly encoding?: (jobs: EncoderIn[]) => Promise<unknown>;
  readonly retrieve: (job: RetrieverIn) => Promise<Pick<LlmIn, "contexts" | "augmented_prompt">>;
  readonly answer: (job: LlmIn) => Promise<string>;
}

/** Resolves when it takes messages. */
export async function runInstantStage({ encoding, retrieve, answer }: InstantHandlers): Promise<void> {
  const config = configOrExit(
    Type.Object({ ...appSettings, ...healthSettings, ...leaseSettings, ...redisSettings }),
  );
  const embedding = packEmbedding(new Float32Array(EMBEDDING_DIMENSIONS).fill(0.05));
  const stage = process.argv[2];
  if (stage === "encoder") {
    await runStage({
      name: "encoder",
      config,
      from: { ...queues.encoderIn, message: contract(EncoderIn) },
      to: queues.retrieverIn,
      batch: 16,
      lookahead: 16,
      handleBatch: async (jobs) => {
        await encoding?.(jobs);
        return jobs.map((job) => ({ ...job, embedding }));
      },
    });
  } else if (stage === "retriever") {
    await runStage({
      name: "retriever",
      config,
      from: queues.retrieverIn,
      to: queues.llmIn,
      concurrency: 16,
      handle: async ({ embedding, ...job }) => ({ ...job, ...(await retrieve({ ...job, embedding })) }),
    });
  } else if (stage === "llm") {
    await runStage({
      name: "llm",
      config,
      from: queues.llmIn,
      to: completions,
      concurrency: 32,
      handle: async (job) => {
        const { job_id, timings, selected_replica, contexts: sources } = job;
        const done = { job_id, timings, status: "ok" as const, sources, selected_replica, worker: "instant" };
        return { ...done, answer: await answer(job) };
      },
    });
  } else {
    console.error("say which stage: encoder, retriever or llm");
    process.exit(2);
  }
}
