import { expect, test } from "bun:test";
import { readConfig } from "#runtime";
import { mockLlmSettings } from "../../../apps/mock-llm/config.ts";
import { type Fate, Fates } from "../../../apps/mock-llm/faults.ts";

function draw(n: number, env: Record<string, string>): Fate[] {
  const fates = new Fates(readConfig(mockLlmSettings, env));
  return Array.from({ length: n }, () => fates.next());
}

const share = (fates: Fate[], fault: Fate["fault"]) =>
  fates.filter((fate) => fate.fault === fault).length / fates.length;

test("the same seed gives the same fates, another seed others", () => {
  const env = { MOCK_FAILURE_RATE: "0.3", MOCK_JITTER_MS: "20" };
  expect(draw(100, env)).toEqual(draw(100, env));
  expect(draw(100, env)).not.toEqual(draw(100, { ...env, MOCK_SEED: "2" }));
});

test("each fault comes as often as its rate says", () => {
  const fates = draw(10_000, {
    MOCK_FAILURE_RATE: "0.1",
    MOCK_HANG_RATE: "0.05",
    MOCK_CUT_RATE: "0.2",
    MOCK_GARBAGE_RATE: "0.02",
  });
  expect(share(fates, "failure")).toBeCloseTo(0.1, 1.5);
  expect(share(fates, "hang")).toBeCloseTo(0.05, 1.5);
  expect(share(fates, "cut")).toBeCloseTo(0.2, 1.5);
  expect(share(fates, "garbage")).toBeCloseTo(0.02, 1.5);
  expect(share(fates, undefined)).toBeCloseTo(0.63, 1.5);
});

test("another rate moves neither the delays nor the faults before it", () => {
  const env = { MOCK_FAILURE_RATE: "0.2", MOCK_DELAY_MS: "10", MOCK_JITTER_MS: "5" };
  const before = draw(200, env);
  const after = draw(200, { ...env, MOCK_HANG_RATE: "0.5" });
  const failures = (fates: Fate[]) => fates.map((fate) => fate.fault === "failure");
  expect(failures(after)).toEqual(failures(before));
  expect(after.map((fate) => fate.delay_ms)).toEqual(before.map((fate) => fate.delay_ms));
});

test("the jitter only adds to the delay", () => {
  for (const { delay_ms } of draw(1_000, { MOCK_DELAY_MS: "10", MOCK_JITTER_MS: "5" })) {
    expect(delay_ms).toBeWithin(10, 15);
  }
});
