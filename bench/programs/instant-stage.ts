/** A stage that answers at once, so that what is measured is the line: `bun bench/programs/instant-stage.ts llm`. */
import { runInstantStage } from "../../tests/support/instant-stage.ts";
import { PASSAGE, promptOf } from "../passage.ts";

const contexts = Array.from({ length: 5 }, (_, i) => ({
  id: `d#${i}`,
  title: "Title",
  source: "d.md",
  score: 0.5,
  text: PASSAGE,
}));

await runInstantStage({
  retrieve: async ({ query }) => ({ contexts, augmented_prompt: promptOf(query) }),
  answer: async () => "At once [1].",
});
