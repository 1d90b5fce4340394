import { expect, test } from "bun:test";
import fc from "fast-check";
import { pieces } from "../../../apps/indexer/pieces.ts";

const characters = (text: string) => text.length;

test("a text is cut between sentences", () => {
  const text = "Version 1.2 is out. Is it good? Yes!";
  expect(pieces(text, "sentences", 30, characters)).toEqual(["Version 1.2 is out. ", "Is it good? ", "Yes!"]);
});

test("Japanese is cut between sentences too", () => {
  expect(pieces("これは文です。次の文です！", "sentences", 30, characters)).toEqual([
    "これは文です。",
    "次の文です！",
  ]);
});

test("lines stay whole where they fit, and are cut between sentences where not", () => {
  expect(pieces("a. b.\nA long line. It goes on.", "lines", 15, characters)).toEqual([
    "a. b.\n",
    "A long line. ",
    "It goes on.",
  ]);
});

test("a sentence that does not fit is cut between words", () => {
  expect(pieces("one two, three", "sentences", 6, characters)).toEqual(["one ", "two", ", ", "three"]);
});

test("a word that does not fit is cut between characters as readers see them", () => {
  const family = "👨‍👩‍👧‍👦"; // 11 UTF-16 units
  expect(pieces(family.repeat(4), "sentences", 33, characters)).toEqual(Array(4).fill(family));
  expect(pieces("a".repeat(70), "sentences", 40, characters)).toEqual([
    "a".repeat(32),
    "a".repeat(32),
    "a".repeat(6),
  ]);
});

test("pieces joined are the text", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.lorem({ mode: "sentences" }),
  );
  fc.assert(
    fc.property(
      text,
      fc.constantFrom("lines", "sentences"),
      fc.integer({ min: 1, max: 50 }),
      (text, unit, limit) => {
        expect(pieces(text, unit as "lines", limit, characters).join("")).toBe(text);
      },
    ),
  );
});
