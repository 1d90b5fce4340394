/**
 * OpenAI's streams, as llama.cpp and vLLM send them too: server-sent events, the last one `[DONE]`.
 * https://platform.openai.com/docs/api-reference/chat
 */
import { Type } from "@sinclair/typebox";
import { contract } from "#contracts";
import { errorMessage } from "./error-message.ts";
import { sseFraming } from "./sse.ts";
import { malformed, type Piece, parseFrame, type Wire, WireFault } from "./wire.ts";

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
  body: (model, prompt) => ({ model, messages: [{ role: "user", content: prompt }], stream: true }),
  framing: sseFraming,
  read(frame) {
    if (frame === "[DONE]") return { text: "", token: false, last: true };
    const value = parseFrame(frame);
    const message = errorMessage(value);
    if (message) throw new WireFault("cut_off", `gave up: ${message}`);
    if (!chunk.check(value)) throw malformed(frame, chunk.explain(value));
    return readChoice(value.choices?.[0]);
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
