import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { answerReport } from "../../eval/answer-report.ts";
import { readQuestions } from "../../eval/questions.ts";
import { directory as MODEL_DIR } from "../packages/embedding/model-root.ts";
import { folderOf, jsonLines } from "./tiny-dataset.ts";

setDefaultTimeout(60_000);

const asked = (article: string | null, sources: string[], abstained = false) => ({
  question: `about ${article}`,
  article,
  sources,
  abstained,
});

test("hits are counted over questions that have an answer, abstentions over both kinds", () => {
  const report = answerReport([
    asked("a.md", ["a.md", "b.md"]),
    asked("b.md", ["a.md", "b.md"]),
    asked("c.md", ["a.md"]),
    asked("d.md", [], true),
    asked(null, [], true),
    asked(null, ["a.md"]),
  ]);
  expect(report).toEqual({
    answerable: 4,
    unanswerable: 2,
    source_hit_at_1: 0.25,
    source_hit_at_5: 0.5,
    abstention_recall: 0.5,
    false_abstentions: 0.25,
    failures: ["about c.md", "about d.md", "about null"],
  });
});

test("the shipped questions are 60 that an article of the corpus answers, and 15 that none does", async () => {
  const questions = await readQuestions("corpus");
  expect(questions.filter(({ article }) => article === null)).toHaveLength(15);
  const articles = questions.flatMap(({ article }) => article ?? []);
  expect(articles).toHaveLength(60);
  for (const article of articles) expect(await Bun.file(join("corpus", article)).exists()).toBe(true);
  expect(new Set(questions.map(({ question }) => question)).size).toBe(75);
});

test("a folder's questions find their documents, and one about something else is told so", async () => {
  await using folder = await folderOf({
    "bees.md": "# Honey bees\n\nBees dance to tell each other where flowers are.\n",
    "tides.md": "# Tides\n\nThe moon pulls the sea, and makes the tide.\n",
    "questions.jsonl": jsonLines([
      { question: "Why do bees dance?", article: "bees.md" },
      { question: "What makes the tide?", article: "tides.md" },
      { question: "Who won the football World Cup in 1998?", article: null },
    ]),
  });
  const child = Bun.spawn(
    [process.execPath, "eval/answers.ts", folder.path, "--data-dir", `${folder.path}/.index`, "--json"],
    { env: { ...process.env, MODEL_DIR, QDRANT_URL: "" }, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual({
    answerable: 2,
    unanswerable: 1,
    source_hit_at_1: 1,
    source_hit_at_5: 1,
    abstention_recall: 1,
    false_abstentions: 0,
    failures: [],
  });
  expect(await child.exited).toBe(0);
});
