/** The encoder with nothing around it: prints texts/s over as many distinct questions as asked, in full batches. */
import { loadModel } from "#embedding";
import { distinctQuestion } from "../distinct-questions.ts";

const BATCH = 16;

const [texts = 1_600, threads] = process.argv.slice(2).map(Number);
const model = await loadModel({ directory: ".models", threads });
const batches = Array.from({ length: texts / BATCH }, (_, b) =>
  Array.from({ length: BATCH }, (_, i) => distinctQuestion(b * BATCH + i)),
);
await model.embed(batches[0]!);
const started = performance.now();
for (const batch of batches) await model.embed(batch);
console.log(JSON.stringify({ texts_per_s: (texts / (performance.now() - started)) * 1_000 }));
