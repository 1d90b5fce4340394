/** A stage that is done in a few random ms, so that what is tried is the line: `bun tests/chaos/stage.ts encoder`. */
import { buildPrompt } from "../../apps/retriever/prompt.ts";
import { runInstantStage } from "../support/instant-stage.ts";
import { answerOf, markerIn, POISON } from "./question.ts";

const work = (most_ms: number) => Bun.sleep(Math.random() * most_ms);

await runInstantStage({
  async encoding(jobs) {
    if (jobs.some((job) => job.query.includes(POISON))) process.kill(process.pid, "SIGKILL");
    await work(4);
  },
  async retrieve({ query }) {
    await work(5);
    const text = answerOf(markerIn(query) ?? "");
    const source = { id: "m#0", title: "Markers", source: "markers.md", score: 1, text };
    return { contexts: [source], augmented_prompt: buildPrompt(query, [source]) };
  },
  async answer({ contexts }) {
    await work(10);
    return contexts[0]?.text ?? "";
  },
});
