import { expect, test } from "bun:test";
import { termsOf } from "../../../packages/vector-store/chunk-terms.ts";

const passage = (position: number, text: string, heading_path: string[] = []) => ({
  position,
  title: "Bees",
  heading_path,
  text,
});

test("a chunk has the terms of its title, its headings and its text", () => {
  expect(termsOf([passage(0, "Honey flows", ["Hives"])])).toEqual([
    { title: ["bee"], text: ["hive", "honei", "flow"], around: [] },
  ]);
});

test("the texts on either side are around a chunk, without their titles and headings", () => {
  const terms = termsOf([
    passage(0, "One", ["Hives"]),
    passage(1, "Two"),
    passage(2, "Three"),
    passage(3, "Four"),
  ]);
  expect(terms.map(({ around }) => around)).toEqual([["two"], ["on", "three"], ["two", "four"], ["three"]]);
});

test("what is around a chunk is told by its place in the document, in whichever order the chunks come", () => {
  const [third, , first] = termsOf([passage(2, "Three"), passage(1, "Two"), passage(0, "One")]);
  expect([first?.around, third?.around]).toEqual([["two"], ["two"]]);
});
