import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { ConfigError, readConfig } from "#runtime";
import { startProcess } from "../../support/process.ts";

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8_000, description: "Port" }),
  NAMES: Type.Array(Type.String(), { default: ["a"], description: "Names" }),
  ON: Type.Boolean({ default: false, description: "Whether" }),
  MODE: Type.Union([Type.Literal("fast"), Type.Literal("slow")], {
    default: "slow",
    description: "fast or slow",
  }),
  MAYBE: Type.Optional(Type.String({ description: "Maybe" })),
});

test("unset and empty mean the default", () => {
  const defaults = { PORT: 8_000, NAMES: ["a"], ON: false, MODE: "slow" };
  expect(readConfig(schema, {})).toEqual(defaults as never);
  expect(readConfig(schema, { PORT: "", MAYBE: " " })).toEqual(defaults as never);
});

test("values are read by their type", () => {
  const env = { PORT: "80", NAMES: "x, y,,z", ON: "1", MODE: "fast", MAYBE: "so" };
  expect(readConfig(schema, env)).toEqual({
    PORT: 80,
    NAMES: ["x", "y", "z"],
    ON: true,
    MODE: "fast",
    MAYBE: "so",
  });
});

test.each([
  ["PORT", "eighty"],
  ["PORT", "0"],
  ["PORT", "80.5"],
  ["ON", "perhaps"],
  ["MODE", "medium"],
])("%s=%s is refused with a message that names it and its value", (name, value) => {
  expect(() => readConfig(schema, { [name]: value })).toThrow(ConfigError);
  expect(() => readConfig(schema, { [name]: value })).toThrow(new RegExp(`${name} is "${value}"`));
});

test.each([
  ["apps/gateway/main.ts", "PORT", "-1"],
  ["apps/encoder/main.ts", "ENCODER_BATCH", "many"],
  ["apps/retriever/main.ts", "MIN_SCORE", "2"],
  ["apps/llm/main.ts", "LLM_REPLICAS", "localhost"],
  ["apps/indexer/main.ts", "REDIS_URL", "http://localhost"],
  ["apps/dev/main.ts", "PORT", "high"],
])("%s with %s=%s ends with one line that names it, and exit code 2", async (path, name, value) => {
  const app = startProcess(path, { [name]: value });
  expect(await app.child.exited).toBe(2);
  expect(app.stderr().split("\n")).toEqual([expect.stringContaining(`${name} is "${value}"`)]);
});
