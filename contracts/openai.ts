/**
 * What of OpenAI's chat API the gateway takes and gives. Fields that are not named here are passed over.
 * https://platform.openai.com/docs/api-reference/chat
 */
import { type Static, Type } from "@sinclair/typebox";
import { contract } from "./check.ts";
import { MAX_TOP_K } from "./limits.ts";
import { SearchFilter, Source } from "./messages.ts";
import { TokenUsage } from "./usage.ts";

/** The one model that there is: the documents, and whatever LLM the replicas run. */
export const CHAT_MODEL = "ragline";

const textPart = Type.Object({ type: Type.String(), text: Type.Optional(Type.String()) });

export const ChatMessage = Type.Object({
  role: Type.String({ description: "`user` asks; `assistant` answered before; others are passed over" }),
  content: Type.Optional(Type.Union([Type.String(), Type.Array(textPart), Type.Null()])),
});
export type ChatMessage = Static<typeof ChatMessage>;

export const ChatRequest = Type.Object(
  {
    model: Type.String({ description: `\`${CHAT_MODEL}\`` }),
    messages: Type.Array(ChatMessage, {
      minItems: 1,
      description: "The last of the user's is the question; those before help where it refers to them",
    }),
    stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    stream_options: Type.Optional(
      Type.Union([Type.Object({ include_usage: Type.Optional(Type.Boolean()) }), Type.Null()]),
    ),
    n: Type.Optional(Type.Union([Type.Literal(1), Type.Null()])),
    top_k: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_TOP_K, description: "As of POST /query" })),
    filter: Type.Optional(SearchFilter),
  },
  {
    example: { model: CHAT_MODEL, messages: [{ role: "user", content: "What is machine learning?" }] },
  },
);
export type ChatRequest = Static<typeof ChatRequest>;
export const chatRequest = contract(ChatRequest);

/** Where in the answer a source is cited. */
export const Annotation = Type.Object({
  type: Type.Literal("url_citation"),
  url_citation: Type.Object({
    start_index: Type.Integer({ minimum: 0 }),
    end_index: Type.Integer({ minimum: 0, description: "Of the last character" }),
    title: Type.String(),
    url: Type.String({ description: "The source's path or address" }),
  }),
});
export type Annotation = Static<typeof Annotation>;

export const ChatUsage = Type.Object(
  { ...TokenUsage.properties, total_tokens: Type.Integer() },
  { description: TokenUsage.description },
);
export type ChatUsage = Static<typeof ChatUsage>;

export const ChatCompletion = Type.Object({
  id: Type.String(),
  object: Type.Literal("chat.completion"),
  created: Type.Integer(),
  model: Type.String(),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      message: Type.Object({
        role: Type.Literal("assistant"),
        content: Type.String(),
        refusal: Type.Null(),
        annotations: Type.Array(Annotation),
      }),
      finish_reason: Type.Literal("stop"),
      logprobs: Type.Null(),
    }),
  ),
  usage: ChatUsage,
  citations: Type.Array(Source, { description: "`[1]` in the answer is the first of them" }),
});
export type ChatCompletion = Static<typeof ChatCompletion>;

export const ChatModel = Type.Object({
  id: Type.String(),
  object: Type.Literal("model"),
  created: Type.Integer(),
  owned_by: Type.String(),
});

export const ChatModels = Type.Object({ object: Type.Literal("list"), data: Type.Array(ChatModel) });

export const ChatError = Type.Object(
  {
    error: Type.Object({
      message: Type.String(),
      type: Type.String(),
      param: Type.Null(),
      code: Type.String({ description: "As of POST /query" }),
    }),
  },
  {
    example: {
      error: {
        message: "what is wrong, and what to do about it",
        type: "invalid_request_error",
        param: null,
        code: "invalid_request",
      },
    },
  },
);
export type ChatError = Static<typeof ChatError>;
