/** A stage that answers at once, so that what is measured is the line: `bun bench/programs/instant-stage.ts llm`. */
import { runInstantStage } from "../../tests/support/instant-stage.ts";

const text = "A passage of the length that a chunk has, two or three sentences of prose. ".repeat(6);
const contexts = Array.from({ length: 5 }, (_, i) => ({
  id: `d#${i}`,
  title: "Title",
  source: "d.md",
  score: 0.5,
  text,
}));

await runInstantStage({
  retrieve: async ({ query }) => ({ contexts, augmented_prompt: query + text.repeat(5) }),
  answer: async () => "At once [1].",
});
