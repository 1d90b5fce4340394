/** Ollama's streams: newline-delimited JSON, the last line with `done`. https://docs.ollama.com/api */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { contract } from "#contracts";
import { errorMessage } from "./error-message.ts";
import { ndjsonFraming } from "./ndjson.ts";
import { malformed, parseFrame, tokenCount, type Wire, WireFault } from "./wire.ts";

const optionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]));

const GenerateFrame = Type.Object({
  response: optionalText,
  thinking: optionalText,
  done: Type.Boolean(),
});

const ChatFrame = Type.Object({
  message: Type.Optional(Type.Object({ content: optionalText, thinking: optionalText })),
  done: Type.Boolean(),
});

/** POST /api/generate */
export const ollamaGenerate: Wire = {
  path: "api/generate",
  body: (model, prompt) => ({ model, prompt, stream: true }),
  framing: ndjsonFraming,
  read: reader(GenerateFrame, ({ response, thinking }) => ({ content: response, thinking })),
};

/** POST /api/chat */
export const ollamaChat: Wire = {
  path: "api/chat",
  body: (model, prompt) => ({ model, messages: [{ role: "user", content: prompt }], stream: true }),
  framing: ndjsonFraming,
  read: reader(ChatFrame, ({ message }) => ({ content: message?.content, thinking: message?.thinking })),
};

interface Said {
  readonly content?: string | null;
  readonly thinking?: string | null;
}

/** The counts are passed over where they are none: they are no part of the answer. */
interface LastFrame {
  readonly done: boolean;
  readonly prompt_eval_count?: unknown;
  readonly eval_count?: unknown;
}

function reader<S extends TSchema>(schema: S, said: (frame: Static<S>) => Said): Wire["read"] {
  const frames = contract(schema);
  return (text) => {
    const frame = parseFrame(text);
    if (!frames.check(frame)) {
      const message = errorMessage(frame);
      if (message) throw new WireFault("cut_off", `gave up: ${message}`);
      throw malformed(text, frames.explain(frame));
    }
    const { content, thinking } = said(frame);
    const { done, prompt_eval_count, eval_count } = frame as LastFrame;
    const usage = { prompt_tokens: tokenCount(prompt_eval_count), completion_tokens: tokenCount(eval_count) };
    return {
      text: content ?? "",
      token: Boolean(content || thinking),
      last: done,
      ...(done && { usage }),
    };
  };
}
