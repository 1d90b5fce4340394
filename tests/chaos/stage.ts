/** A stage that is done in a few random ms, so that what is tried is the line: `bun tests/chaos/stage.ts llm`. */

import { Type } from "@sinclair/typebox";
import { completions, EMBEDDING_DIMENSIONS, packEmbedding, queues } from "#contracts";
import { appSettings, configOrExit, healthSettings, leaseSettings, redisSettings, runStage } from "#runtime";
import { markerIn, POISON } from "./question.ts";

const config = configOrExit(
  Type.Object({ ...appSettings, ...healthSettings, ...leaseSettings, ...redisSettings }),
);
const stage = process.argv[2];
const embedding = packEmbedding(new Float32Array(EMBEDDING_DIMENSIONS).fill(0.05));
const work = (most_ms: number) => Bun.sleep(Math.random() * most_ms);

if (stage === "encoder") {
  await runStage({
    name: "encoder",
    config,
    from: queues.encoderIn,
    to: queues.retrieverIn,
    batch: 16,
    lookahead: 16,
    handleBatch: async (jobs) => {
      if (jobs.some((job) => job.query.includes(POISON))) process.kill(process.pid, "SIGKILL");
      await work(4);
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
    handle: async ({ embedding: _, ...job }) => {
      await work(5);
      return { ...job, contexts: [], augmented_prompt: `Answer from your sources: ${job.query}` };
    },
  });
} else if (stage === "llm") {
  await runStage({
    name: "llm",
    config,
    from: queues.llmIn,
    to: completions,
    concurrency: 32,
    handle: async ({ job_id, timings, selected_replica, augmented_prompt }) => {
      await work(10);
      const answer = `${markerIn(augmented_prompt)} means nothing.`;
      return {
        job_id,
        timings,
        status: "ok" as const,
        answer,
        sources: [],
        selected_replica,
        worker: "chaos",
      };
    },
  });
} else {
  console.error("say which stage: encoder, retriever or llm");
  process.exit(2);
}
