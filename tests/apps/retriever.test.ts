import { expect, test } from "bun:test";
import type { SearchHit } from "#vector-store";
import { selectContexts } from "../../apps/retriever/contexts.ts";
import { buildPrompt } from "../../apps/retriever/prompt.ts";

const hit = (position: number, cosine: number, tokens = 100): SearchHit => ({
  id: `d#${position}`,
  document_id: "d",
  title: "Title",
  heading_path: [],
  source: "d.md",
  text: `text ${position}`,
  position,
  tokens,
  score: 1 / (1 + position),
  cosine,
  metadata: {},
});

test("a prompt numbers its sources from 1 and asks for citations", () => {
  const prompt = buildPrompt("Why?", [hit(0, 0.9), hit(1, 0.8)]);
  expect(prompt).toContain(
    "<source>\n[1] Title\ntext 0\n</source>\n\n<source>\n[2] Title\ntext 1\n</source>",
  );
  expect(prompt).toEndWith("Question:\n\n<question>\nWhy?\n</question>\n\nAnswer:");
  expect(prompt).toContain("Cite the sources you use by number");
});

test("contexts are those near enough", () => {
  const contexts = selectContexts([hit(0, 0.9), hit(1, 0.3), hit(2, 0.2)], {
    min_cosine: 0.25,
    max_tokens: 1_000,
  });
  expect(contexts.map((context) => context.id)).toEqual(["d#0", "d#1"]);
});

test("a near context behind a further one is taken: the order is by words too", () => {
  const hits = [hit(0, 0.5), hit(1, 0.2), hit(2, 0.9)];
  const contexts = selectContexts(hits, { min_cosine: 0.25, max_tokens: 1_000 });
  expect(contexts.map(({ id, score }) => [id, score])).toEqual([
    ["d#0", 1],
    ["d#2", 1 / 3],
  ]);
});

test("contexts are bounded by tokens, best first", () => {
  const hits = [hit(0, 0.9, 200), hit(1, 0.8, 200), hit(2, 0.7, 10)];
  expect(selectContexts(hits, { min_cosine: 0, max_tokens: 399 }).map((context) => context.id)).toEqual([
    "d#0",
  ]);
  expect(selectContexts(hits, { min_cosine: 0, max_tokens: 400 })).toHaveLength(2);
});

test("one source always goes in, however long", () => {
  expect(selectContexts([hit(0, 0.9, 500)], { min_cosine: 0, max_tokens: 100 })).toHaveLength(1);
});

test("where nothing is near there are no contexts", () => {
  expect(selectContexts([hit(0, 0.1)], { min_cosine: 0.25, max_tokens: 100 })).toEqual([]);
});
