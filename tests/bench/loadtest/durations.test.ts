import { expect, test } from "bun:test";
import fc from "fast-check";
import { Durations } from "../../../bench/loadtest/durations.ts";

const RELATIVE_ERROR = 1e-3;
const MICROSECOND_MS = 0.001;

test("percentiles and mean lie within 0.1 % or a microsecond of the exact ones, from microseconds to an hour", () => {
  const milliseconds = fc.double({ min: 0, max: 3_600_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 200 }), (values) => {
      const durations = new Durations();
      for (const value of values) durations.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const near = (measured: number | null, exact: number) =>
        expect(Math.abs(measured! - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR + MICROSECOND_MS);
      for (const percent of [0, 50, 95, 99, 100]) {
        const rank = Math.max(1, Math.ceil((percent * sorted.length) / 100));
        near(durations.percentile(percent), sorted[rank - 1]!);
      }
      near(durations.mean, values.reduce((sum, value) => sum + value, 0) / values.length);
    }),
  );
});

test("no percentile exceeds the longest duration", () => {
  const durations = new Durations();
  durations.record(59_805.123);
  expect(durations.percentile(99)).toBe(59_805.123);
  expect(durations.percentile(100)).toBe(59_805.123);
});

test("nothing recorded is no figure, not 0", () => {
  const durations = new Durations();
  expect(durations.percentile(50)).toBeNull();
  expect(durations.mean).toBeNull();
});
