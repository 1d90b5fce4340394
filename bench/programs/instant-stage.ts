/** A stage that answers at once, so that what is measured is the line: `bun bench/programs/instant-stage.ts llm`. */

import { Type } from "@sinclair/typebox";
import { completions, EMBEDDING_DIMENSIONS, packEmbedding, queues } from "#contracts";
import { appSettings, configOrExit, healthSettings, leaseSettings, redisSettings, runStage } from "#runtime";

const config = configOrExit(
  Type.Object({ ...appSettings, ...healthSettings, ...leaseSettings, ...redisSettings }),
);
const stage = process.argv[2];
const embedding = packEmbedding(new Float32Array(EMBEDDING_DIMENSIONS).fill(0.05));
const text = "A passage of the length that a chunk has, two or three sentences of prose. ".repeat(6);
const contexts = Array.from({ length: 5 }, (_, i) => ({
  id: `d#${i}`,
  title: "Title",
  source: "d.md",
  score: 0.5,
  text,
}));

if (stage === "encoder") {
  await runStage({
    name: "encoder",
    config,
    from: queues.encoderIn,
    to: queues.retrieverIn,
    batch: 16,
    lookahead: 16,
    handleBatch: async (jobs) => jobs.map((job) => ({ ...job, embedding })),
  });
} else if (stage === "retriever") {
  await runStage({
    name: "retriever",
    config,
    from: queues.retrieverIn,
    to: queues.llmIn,
    concurrency: 16,
    handle: async ({ embedding: _, ...job }) => ({
      ...job,
      contexts,
      augmented_prompt: job.query + text.repeat(5),
    }),
  });
} else if (stage === "llm") {
  await runStage({
    name: "llm",
    config,
    from: queues.llmIn,
    to: completions,
    concurrency: 32,
    handle: async ({ job_id, timings, selected_replica, contexts: sources }) => {
      return {
        job_id,
        timings,
        status: "ok" as const,
        answer: "At once [1].",
        sources,
        selected_replica,
        worker: "instant",
      };
    },
  });
} else {
  console.error("say which stage: encoder, retriever or llm");
  process.exit(2);
}
