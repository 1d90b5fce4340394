import { expect, test } from "bun:test";
import { mean, meanInterval } from "../../eval/bootstrap.ts";

/** Half of them 0, half of them 1. */
const halves = (count: number) => Array.from({ length: count }, (_, at) => at % 2);

test("the interval of a mean is about 1.96 standard errors on either side", () => {
  const [low, high] = meanInterval(halves(400)); // a standard error of 0.5 / sqrt(400) = 0.025
  expect(low).toBeCloseTo(0.5 - 1.96 * 0.025, 2);
  expect(high).toBeCloseTo(0.5 + 1.96 * 0.025, 2);
});

test("the same values have the same interval, and equal values one without width", () => {
  expect(meanInterval(halves(50))).toEqual(meanInterval(halves(50)));
  expect(meanInterval([0.5, 0.5, 0.5])).toEqual([0.5, 0.5]);
  expect(mean([0, 1, 1])).toBeCloseTo(2 / 3, 10);
});
