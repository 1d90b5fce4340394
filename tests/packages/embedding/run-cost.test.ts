import { expect, test } from "bun:test";
import { RunCost } from "../../../packages/embedding/run-cost.ts";

test("a machine that gets slower is allowed fewer tokens within a few inferences, and more when it is fast again", () => {
  const cost = new RunCost();
  const learn = (ms_per_token: number) => {
    for (let i = 0; i < 12; i++) cost.learn(128, 128 * ms_per_token);
    return cost.tokensWithin(100);
  };
  expect(learn(0.5)).toBeWithin(190, 211);
  expect(learn(2)).toBeWithin(48, 55);
  expect(learn(0.5)).toBeWithin(180, 211);
});
