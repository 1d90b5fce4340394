/** The encoder with nothing around it: prints texts/s over the load test's questions, in full batches. */
import { loadModel } from "#embedding";
import { questions } from "../loadtest/questions.ts";

const TEXTS = 1_600;
const BATCH = 16;

const model = await loadModel({ directory: ".models" });
const batches = Array.from({ length: TEXTS / BATCH }, (_, b) =>
  Array.from({ length: BATCH }, (_, i) => questions[(b * BATCH + i) % questions.length]!),
);
await model.embed(batches[0]!);
const started = performance.now();
for (const batch of batches) await model.embed(batch);
console.log(JSON.stringify({ texts_per_s: (TEXTS / (performance.now() - started)) * 1_000 }));
