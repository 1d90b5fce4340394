import { expect, test } from "bun:test";
import { contract, QueryRequest } from "#contracts";
import { questions } from "../../../bench/loadtest/questions.ts";

test("every question is one that the gateway takes", () => {
  const request = contract(QueryRequest);
  expect(questions.filter((query) => !request.check({ query }))).toEqual([]);
});

test("at least 40 are different, and the popular ones come again", () => {
  const different = new Set(questions).size;
  expect(different).toBeGreaterThanOrEqual(40);
  expect(different).toBeLessThan(questions.length);
});
