/** OpenAI's wire format: server-sent events. https://platform.openai.com/docs/api-reference/chat */
import { Type } from "@sinclair/typebox";
import { contract } from "#contracts";
import { type Endpoint, lastUserMessage, type Usage, WireError } from "./wire.ts";

const text = Type.Object({ type: Type.Literal("text"), text: Type.String() });

const chatRequest = contract(
  Type.Object({
    model: Type.String({ minLength: 1 }),
    messages: Type.Array(
      Type.Object({
        role: Type.String(),
        content: Type.Optional(Type.Union([Type.Null(), Type.String(), Type.Array(text)])),
      }),
    ),
    stream: Type.Optional(Type.Union([Type.Null(), Type.Boolean()])),
    stream_options: Type.Optional(
      Type.Union([Type.Null(), Type.Object({ include_usage: Type.Optional(Type.Boolean()) })]),
    ),
  }),
);

/** POST /v1/chat/completions */
export const openaiChat: Endpoint = {
  error: openaiError,
  read(body) {
    if (!chatRequest.check(body)) throw new WireError(400, chatRequest.explain(body));
    const { content } = lastUserMessage(body.messages);
    const include_usage = body.stream_options?.include_usage === true;
    const about = {
      id: `chatcmpl-${crypto.randomUUID()}`,
      created: Math.floor(Date.now() / 1_000),
      model: body.model,
    };
    const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
    const chunk = (choices: object[], usage?: object) =>
      event({
        ...about,
        object: "chat.completion.chunk",
        choices,
        ...(include_usage && { usage: usage ?? null }),
      });
    const delta = (value: object, finish_reason: string | null = null) =>
      chunk([{ index: 0, delta: value, logprobs: null, finish_reason }]);
    return {
      prompt: Array.isArray(content) ? content.map((part) => part.text).join("\n") : (content ?? ""),
      stream: body.stream === true,
      stream_type: "text/event-stream",
      opening: () => delta({ role: "assistant", content: "" }),
      token: (content) => delta({ content }),
      closing(usage) {
        const counts = include_usage ? chunk([], openaiUsage(usage)) : "";
        return `${delta({}, "stop")}${counts}data: [DONE]\n\n`;
      },
      whole(answer, usage) {
        const message = { role: "assistant", content: answer, refusal: null };
        return {
          ...about,
          object: "chat.completion",
          choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
          usage: openaiUsage(usage),
        };
      },
    };
  },
};

/** GET /v1/models */
export function openaiModels(model: string): object {
  return { object: "list", data: [{ id: model, object: "model", created: 0, owned_by: "ragline" }] };
}

export function openaiError(status: number, message: string): object {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  return { error: { message, type, param: null, code: null } };
}

function openaiUsage({ prompt_tokens, answer_tokens }: Usage): object {
  return {
    prompt_tokens,
    completion_tokens: answer_tokens,
    total_tokens: prompt_tokens + answer_tokens,
  };
}
