/**
 * OpenAI's streams, as llama.cpp and vLLM send them too: server-sent events, the last one `[DONE]`.
 * https://platform.openai.com/docs/api-reference/chat
 */
import { Type } from "@sinclair/typebox";
import { contract } from "#contracts";
import { errorMessage } from "./error-message.ts";
import { sseFraming } from "./sse.ts";
import { malformed, type Piece, parseFrame, tokenCount, type Wire, WireFault } from "./wire.ts";

const optionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]));

const choices = Type.Array(
  Type.Object({
    delta: Type.Optional(
      Type.Object({
        content: optionalText,
        // Thoughts: llama.cpp and older vLLM, newer vLLM.
        reasoning_content: optionalText,
        reasoning: optionalText,
      }),
    ),
    finish_reason: optionalText,
  }),
);

const chunk = contract(
  Type.Union([
    Type.Object({ choices }),
    // Token counts, after the answer: some servers leave `choices` out of it.
    Type.Object({ choices: Type.Optional(Type.Null()), usage: Type.Object({}) }),
  ]),
);

/** With these the model did not come to an end by itself: vLLM, SGLang and OpenRouter send them. */
const GAVE_UP = new Set(["abort", "error"]);

/** POST /v1/chat/completions */
export const openaiChat: Wire = {
  path: "v1/chat/completions",
  body: (model, prompt) => ({
    model,
    messages: [{ role: "user", content: prompt }],
    stream: true,
    stream_options: { include_usage: true },
  }),
  framing: sseFraming,
  read(frame) {
    if (frame === "[DONE]") return { text: "", token: false, last: true };
    const value = parseFrame(frame);
    const message = errorMessage(value);
    if (message) throw new WireFault("cut_off", `gave up: ${message}`);
    if (!chunk.check(value)) throw malformed(frame, chunk.explain(value));
    const { usage } = value as { usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null };
    const counts = usage && {
      prompt_tokens: tokenCount(usage.prompt_tokens),
      completion_tokens: tokenCount(usage.completion_tokens),
    };
    return { ...readChoice(value.choices?.[0]), ...(counts && { usage: counts }) };
  },
};

type Choice = NonNullable<(typeof choices)["static"][number]>;

function readChoice(choice?: Choice): Piece {
  const { content, reasoning_content, reasoning } = choice?.delta ?? {};
  const finish_reason = choice?.finish_reason;
  if (finish_reason && GAVE_UP.has(finish_reason)) {
    throw new WireFault("cut_off", `gave up: finish_reason is ${finish_reason}`);
  }
  return {
    text: content ?? "",
    token: Boolean(content || reasoning_content || reasoning),
    last: Boolean(finish_reason),
  };
}
