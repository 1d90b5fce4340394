import { type Static, Type } from "@sinclair/typebox";

const rate = (what: string) =>
  Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0,
    description: `Share of generations, 0 to 1, ${what}`,
  });

export const mockLlmSettings = Type.Object({
  MOCK_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 11_434,
    description: "Port to listen on, Ollama's own by default; 0 for any free one",
  }),
  MOCK_HOST: Type.String({
    minLength: 1,
    default: "127.0.0.1",
    description: "Address to listen on; 0.0.0.0 for all of them",
  }),
  MOCK_MODEL: Type.String({
    minLength: 1,
    default: "mock",
    description: "Model that it lists; requests for any other are answered too",
  }),
  MOCK_DELAY_MS: Type.Number({
    minimum: 0,
    default: 50,
    description: "Time to the first token, once a request is being served, ms",
  }),
  MOCK_JITTER_MS: Type.Number({
    minimum: 0,
    default: 0,
    description: "Added to MOCK_DELAY_MS: up to this much, evenly spread, ms",
  }),
  MOCK_TOKENS_PER_SECOND: Type.Number({
    minimum: 0,
    default: 0,
    description: "How fast tokens follow the first; 0 for all at once",
  }),
  MOCK_FAILURE_RATE: rate("that are answered with status 500"),
  MOCK_HANG_RATE: rate("that are accepted and never answered"),
  MOCK_CUT_RATE: rate("whose connection closes midway"),
  MOCK_GARBAGE_RATE: rate("that are answered with status 200 and a page of HTML"),
  MOCK_CONCURRENCY: Type.Integer({
    minimum: 1,
    default: 32,
    description: "Generations served at once; further ones wait in order",
  }),
  MOCK_SEED: Type.Integer({
    default: 1,
    description: "Seed of faults and jitter: the same seed gives the same ones, by order of arrival",
  }),
});
export type MockLlmSettings = Static<typeof mockLlmSettings>;
