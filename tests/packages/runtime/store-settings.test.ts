import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { ConfigError, readConfig, storeSettings } from "#runtime";

const read = (env: Record<string, string>) => readConfig(Type.Object(storeSettings), env);

test("fusion is by score distribution, with equal weights, unless a setting says otherwise", () => {
  expect(read({})).toMatchObject({
    FUSION: "dbsf",
    RRF_K: 10,
    FUSION_DENSE_WEIGHT: 1,
    FUSION_TEXT_WEIGHT: 1,
  });
  expect(read({ FUSION: "rrf", RRF_K: "60", FUSION_TEXT_WEIGHT: "0.5" })).toMatchObject({
    FUSION: "rrf",
    RRF_K: 60,
    FUSION_TEXT_WEIGHT: 0.5,
  });
});

test.each([
  ["FUSION", "max"],
  ["RRF_K", "-1"],
  ["FUSION_DENSE_WEIGHT", "0"],
  ["FUSION_TEXT_WEIGHT", "much"],
])("%s is not %s", (name, value) => {
  expect(() => read({ [name]: value })).toThrow(ConfigError);
});
