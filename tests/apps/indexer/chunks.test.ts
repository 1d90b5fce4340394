import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { loadTokenizer } from "#embedding";
import { CHUNK_TOKENS, chunkDocument, embeddedText, type Passage } from "../../../apps/indexer/chunks.ts";
import { parseDocument } from "../../../apps/indexer/document.ts";
import { directory } from "../../packages/embedding/model-root.ts";

setDefaultTimeout(60_000);

const tokenizer = await loadTokenizer({ directory });
const model = { window: 256, countTokens: (text: string) => tokenizer.count(text) };

const chunk = (content: string, format: "markdown" | "text" = "markdown", source = "a.md") =>
  chunkDocument(parseDocument({ id: source, source, format, content }), model);
const texts = (content: string) => chunk(content).map((passage) => passage.text);

/** `count` sentences of 12 tokens each, told apart by their numbers. */
const sentences = (count: number, first = 0) =>
  Array.from(
    { length: count },
    (_, at) => `This is a sentence that has the number ${first + at} in it.`,
  ).join(" ");

function expectToFit(passages: readonly Passage[], window = CHUNK_TOKENS): void {
  for (const passage of passages) {
    // 2: the special tokens
    expect(tokenizer.count(embeddedText(passage)) + 2).toBeLessThanOrEqual(window);
    expect(passage.tokens).toBe(tokenizer.count(passage.text));
    expect(passage.text).toBe(passage.text.trimEnd());
    expect(passage.text).not.toBe("");
  }
}

describe("sections", () => {
  test("a short document is one chunk, under its title", () => {
    expect(chunk("# Queues\n\nFirst in.\n\nFirst out.")).toEqual([
      { title: "Queues", heading_path: [], text: "First in.\n\nFirst out.", tokens: 6 },
    ]);
  });

  test("a chunk stays within its section", () => {
    const passages = chunk(`# T\n\n## A\n\n${sentences(8)}\n\n## B\n\n${sentences(8, 100)}`);
    expect(passages.map(({ heading_path, text }) => [heading_path, text])).toEqual([
      [["A"], sentences(8)],
      [["B"], sentences(8, 100)],
    ]);
  });

  test("small sections side by side share a chunk of their parent, with their headings in the text", () => {
    const passages = chunk(
      "# T\n\n## A\n\n### One\n\nThe first.\n\n### Two\n\nThe second.\n\n## B\n\nAnother.",
    );
    expect(passages.map(({ heading_path, text }) => [heading_path, text])).toEqual([
      [["A"], "One\n\nThe first.\n\nTwo\n\nThe second."],
      [["B"], "Another."],
    ]);
  });

  test("a small introduction shares a chunk with the small sections below it", () => {
    expect(texts("# T\n\nIntroduction.\n\n## A\n\nThe first.\n\n## B\n\nThe second.")).toEqual([
      "Introduction.\n\nA\n\nThe first.\n\nB\n\nThe second.",
    ]);
  });

  test("small sections are put together only as far as they leave a chunk half empty", () => {
    const small = Array.from({ length: 6 }, (_, at) => `## S${at}\n\n${sentences(3, 10 * at)}`);
    const passages = chunk(`# T\n\n${small.join("\n\n")}`);
    expect(passages.length).toBe(3);
    expectToFit(passages);
  });

  test("a document of headings alone can be found", () => {
    expect(texts("# T\n\n## Apples\n\n## Pears")).toEqual(["Apples\n\nPears"]);
  });

  test("an empty document has no chunks", () => {
    expect(chunk("")).toEqual([]);
    expect(chunk("---\ntitle: T\n---\n")).toEqual([]);
  });
});

describe("long sections", () => {
  test("are cut between sentences, and each chunk begins with the end of the one before", () => {
    const passages = chunk(`# T\n\n${sentences(25)}`);
    expectToFit(passages);
    expect(passages.length).toBe(3);
    for (const [at, { text }] of passages.entries()) {
      expect(text).toMatch(/^This .* it\.$/);
      const next = passages[at + 1];
      if (!next) continue;
      const last_two = text
        .split(/(?<=\.) /)
        .slice(-2)
        .join(" ");
      expect(next.text.startsWith(last_two)).toBe(true);
      expect(tokenizer.count(last_two)).toBeLessThanOrEqual(32);
    }
  });

  test("end a chunk with a paragraph where that leaves it at least half full", () => {
    const paragraphs = [sentences(6), sentences(6, 20)];
    const [first, second] = texts(`# T\n\n${paragraphs.join("\n\n")}`);
    expect(first).toBe(paragraphs[0]!);
    expect(second).toEndWith(`\n\n${paragraphs[1]}`);
  });

  test("are not cut into full chunks and a scrap", () => {
    const sizes = chunk(`# T\n\n${sentences(11)}`).map((passage) => passage.tokens);
    expect(sizes.length).toBe(2);
    expect(Math.min(...sizes)).toBeGreaterThan(50);
  });

  test("of code are cut between lines, with their indentation", () => {
    const lines = Array.from({ length: 60 }, (_, at) => `    call(${at}, "text", value);`);
    const passages = chunk(`# T\n\n\`\`\`\n${lines.join("\n")}\n\`\`\``);
    expectToFit(passages);
    expect(passages.length).toBeGreaterThan(1);
    const found = new Set(passages.flatMap((passage) => passage.text.split("\n")));
    expect(found).toEqual(new Set(lines));
  });
});

test("a model that sees less than a chunk has smaller ones", () => {
  const parsed = parseDocument({
    id: "a",
    source: "a.txt",
    format: "text",
    title: "T",
    content: sentences(20),
  });
  expectToFit(chunkDocument(parsed, { ...model, window: 64 }), 64);
});

test("a document without a title is embedded without one", () => {
  expect(embeddedText({ title: "", heading_path: ["A", "B"], text: "Text." })).toBe("A: B\nText.");
});

/** `count` times the text, with a number after each, so that no part of it is like another. */
const numbered = (text: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${text}${at}`).join("");

test.each([
  ["a sentence longer than the window", numbered(" word", 900)],
  ["Japanese", numbered("吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。", 60)],
  ["Japanese without an end of a sentence", numbered("吾輩は猫である名前はまだ無い", 60)],
  ["Thai, which has no spaces", numbered("การเรียนรู้ของเครื่องเป็นสาขาหนึ่งของปัญญาประดิษฐ์", 40)],
  ["Korean", numbered("기계 학습은 인공 지능의 한 분야이다. ", 100)],
  ["emoji", numbered("👨‍👩‍👧‍👦😀🏳️‍🌈", 300)],
  ["one word of over 100,000 characters", numbered("x", 20_222)],
  ["punctuation", numbered("?!…—", 2_000)],
  ["combining marks", numbered("e\u0301\u0302\u0303", 3_000)],
])("%s fits and loses nothing", (_, text) => {
  const passages = chunk(text, "text");
  expectToFit(passages);
  for (const passage of passages) expect(passage.text.length).toBeLessThanOrEqual(8 * CHUNK_TOKENS);
  expectToCover(passages, text);
});

test.each([
  ["title", `---\ntitle: ${"A very long title ".repeat(40)}\n---\n${sentences(60)}`],
  ["title in Korean", `# ${"기계학습".repeat(50)}\n\n${sentences(60)}`],
  [
    "path of headings",
    `${[1, 2, 3, 4, 5, 6].map((level) => `${"#".repeat(level)} ${"heading ".repeat(24)}${level}`).join("\n\n")}\n\n${sentences(60)}`,
  ],
])("a very long %s leaves at least half of a chunk to the text", (_, content) => {
  const passages = chunk(content);
  expectToFit(passages);
  // Of the 63 that are half of it, as many as make whole sentences.
  expect(Math.max(...passages.map((passage) => passage.tokens))).toBeGreaterThan(50);
});

const word = fc.oneof(
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => /^[\p{L}\p{N}]+$/u.test(text)),
  fc.lorem({ maxCount: 1 }),
);
const sentence = fc.array(word, { minLength: 1, maxLength: 80 }).map((words) => `${words.join(" ")}.`);
const paragraph = fc.array(sentence, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(" "));

test("every word of any document is in a chunk, every chunk fits, and a second time gives the same", () => {
  const section = fc.record({
    level: fc.integer({ min: 1, max: 4 }),
    heading: fc.lorem({ maxCount: 3 }),
    paragraphs: fc.array(paragraph, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(section, { maxLength: 6 }), (sections) => {
      const content = sections
        .map(({ level, heading, paragraphs }) =>
          [`${"#".repeat(level)} ${heading}`, ...paragraphs].join("\n\n"),
        )
        .join("\n\n");
      const parsed = parseDocument({ id: "a", source: "a.md", format: "markdown", content });
      const passages = chunkDocument(parsed, model);
      expectToFit(passages);
      const found = new Set(passages.flatMap((passage) => passage.text.split(/\s+/)));
      for (const block of parsed.blocks) {
        for (const each of block.text.split(/\s+/)) expect(found).toContain(each);
      }
      expect(chunkDocument(parsed, model)).toEqual(passages);
    }),
    { numRuns: 25 },
  );
});

/** In order, each chunk goes on at most where the one before ended, and the last one ends with the text. */
function expectToCover(passages: readonly Passage[], text: string): void {
  const solid = (from: string) => from.replace(/\s+/g, "");
  const whole = solid(text);
  let covered = 0;
  for (const passage of passages) {
    const part = solid(passage.text);
    let start = covered;
    while (start >= 0 && !(whole.startsWith(part, start) && start + part.length > covered)) start--;
    expect(start).toBeGreaterThanOrEqual(0);
    covered = start + part.length;
  }
  expect(covered).toBe(whole.length);
}
