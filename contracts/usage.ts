/** What an answer cost the model, in tokens. */
import { type Static, Type } from "@sinclair/typebox";

/** English text, in most models' vocabularies. */
const CHARS_PER_TOKEN = 4;

export const TokenUsage = Type.Object(
  {
    prompt_tokens: Type.Integer({ minimum: 0, description: "Of instructions, sources and question" }),
    completion_tokens: Type.Integer({ minimum: 0, description: "Of the answer; of thoughts, too" }),
    estimated: Type.Optional(
      Type.Boolean({
        description:
          "The replica did not count all of it: what is missing is taken at four characters a token",
      }),
    ),
  },
  { description: "Tokens, as the replica that answered counts them" },
);
export type TokenUsage = Static<typeof TokenUsage>;

/** Tokens of texts together, where nobody counted them. */
export function estimateTokens(...texts: readonly { length: number }[]): number {
  return Math.ceil(texts.reduce((sum, { length }) => sum + length, 0) / CHARS_PER_TOKEN);
}
