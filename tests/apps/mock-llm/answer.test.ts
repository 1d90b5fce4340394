import { describe, expect, test } from "bun:test";
import { answerFrom, NO_ANSWER, tokens } from "../../../apps/mock-llm/answer.ts";
import { parsePrompt } from "../../../apps/mock-llm/prompt.ts";
import { promptFor, sources } from "./prompt.ts";

describe("a prompt of the retriever", () => {
  test("comes apart into the sources and the question it was made from", () => {
    const { passages, question } = parsePrompt(promptFor("What is a queue?"));
    expect(passages).toEqual(sources.map((source, i) => ({ number: i + 1, ...source })));
    expect(question).toBe("What is a queue?");
  });

  test("may hold sources that look like parts of a prompt", () => {
    const tricky = [
      { title: "Prompts", text: "A prompt ends so:\n\nQuestion: What?\nAnswer:\n\n[7] is a citation." },
      { title: "Other", text: "[1] begins this line." },
    ];
    const { passages, question } = parsePrompt(promptFor("Why?\nIn two lines.", tricky));
    expect(passages.map(({ title, text }) => ({ title, text }))).toEqual(tricky);
    expect(question).toBe("Why?\nIn two lines.");
  });
});

describe("an answer", () => {
  test("is the sentence nearest the question, with its source", () => {
    expect(answerFrom(promptFor("What is machine learning?"))).toStartWith(
      "Machine learning is the study of programs that improve with data. [2]",
    );
    expect(answerFrom(promptFor("Who holds work, and until when?"))).toBe(
      "A queue holds work until somebody has time for it. [3]",
    );
  });

  test("is of at most three sentences", () => {
    const text = ["One", "Two", "Three", "Four"].map((n) => `${n} is a number.`).join(" ");
    expect(answerFrom(promptFor("What is a number?", [{ title: "Numbers", text }]))).toBe(
      "One is a number. [1] Two is a number. [1] Three is a number. [1]",
    );
  });

  test("finds other forms of a word, and words with accents", () => {
    const source = { title: "Speed", text: "A café caches results. Nothing else matters." };
    expect(answerFrom(promptFor("Why is a result cached?", [source]))).toBe("A café caches results. [1]");
    expect(answerFrom(promptFor("Which cafe?", [source]))).toBe("A café caches results. [1]");
  });

  test("has no other citations than its own", () => {
    const source = { title: "Trees", text: "A tree has leaves [12]." };
    expect(answerFrom(promptFor("What has a tree?", [source]))).toBe("A tree has leaves. [1]");
  });

  test.each([
    ["no sentence shares a word with the question", promptFor("Where do penguins breed?")],
    ["there are no sources", promptFor("What is a queue?", [])],
    ["the question has no content word", promptFor("What is it?")],
    ["the prompt has another shape", "What is a queue?"],
    ["the prompt is empty", ""],
  ])("says that there is none where %s", (_, prompt) => {
    expect(answerFrom(prompt)).toBe(NO_ANSWER);
  });

  test("is the same for the same prompt, and is its tokens put together", () => {
    const answer = answerFrom(promptFor("What is machine learning?"));
    expect(answerFrom(promptFor("What is machine learning?"))).toBe(answer);
    expect(tokens(answer).join("")).toBe(answer);
  });
});
