/**
 * What of OpenAI's embeddings API the gateway takes and gives. Fields that are not named here are passed over.
 * https://platform.openai.com/docs/api-reference/embeddings
 */
import { type Static, Type } from "@sinclair/typebox";
import { contract } from "./check.ts";
import { EMBEDDING_DIMENSIONS, MAX_QUERY_CHARS } from "./limits.ts";

/** The model that documents and questions are embedded with. */
export const EMBEDDING_MODEL = "all-MiniLM-L6-v2";

/** Most texts of one request, as of OpenAI's. */
export const MAX_EMBEDDING_INPUTS = 2_048;

const text = Type.String({ minLength: 1, maxLength: MAX_QUERY_CHARS });

export const EmbeddingsRequest = Type.Object(
  {
    model: Type.String({ description: `\`${EMBEDDING_MODEL}\`` }),
    input: Type.Union([text, Type.Array(text, { minItems: 1, maxItems: MAX_EMBEDDING_INPUTS })], {
      description: "A text, or several; arrays of token ids are not taken",
    }),
    encoding_format: Type.Optional(
      Type.Union([Type.Literal("float"), Type.Literal("base64")], {
        default: "float",
        description: "base64: of little-endian float32",
      }),
    ),
    dimensions: Type.Optional(
      Type.Integer({ description: `${EMBEDDING_DIMENSIONS}: the model's vectors cannot be cut` }),
    ),
  },
  { example: { model: EMBEDDING_MODEL, input: ["What is a queue?", "What is a stack?"] } },
);
export type EmbeddingsRequest = Static<typeof EmbeddingsRequest>;
export const embeddingsRequest = contract(EmbeddingsRequest);

export const Embeddings = Type.Object(
  {
    object: Type.Literal("list"),
    model: Type.String(),
    data: Type.Array(
      Type.Object({
        object: Type.Literal("embedding"),
        index: Type.Integer({ minimum: 0, description: "Of its text in `input`" }),
        embedding: Type.Union([Type.Array(Type.Number()), Type.String()], {
          description: `${EMBEDDING_DIMENSIONS} values, unit length; as a string with \`base64\``,
        }),
      }),
    ),
    usage: Type.Object(
      { prompt_tokens: Type.Integer(), total_tokens: Type.Integer() },
      { description: "As the model reads the texts, special tokens included" },
    ),
  },
  {
    example: {
      object: "list",
      model: EMBEDDING_MODEL,
      data: [{ object: "embedding", index: 0, embedding: [0.0314, -0.0127] }],
      usage: { prompt_tokens: 7, total_tokens: 7 },
    },
  },
);
export type Embeddings = Static<typeof Embeddings>;
