/** Ollama's wire format: newline-delimited JSON. https://docs.ollama.com/api */
import { type TSchema, Type } from "@sinclair/typebox";
import { type Contract, contract, type Of } from "#contracts";
import { type Endpoint, type Exchange, lastUserMessage, type Usage, WireError } from "./wire.ts";

const shared = { model: Type.String(), stream: Type.Optional(Type.Boolean()) };

const generateRequest = contract(Type.Object({ ...shared, prompt: Type.Optional(Type.String()) }));

const chatRequest = contract(
  Type.Object({
    ...shared,
    messages: Type.Array(Type.Object({ role: Type.String(), content: Type.String() })),
  }),
);

/** POST /api/generate */
export const ollamaGenerate: Endpoint = {
  error: ollamaError,
  read(body) {
    const request = check(generateRequest, body);
    return exchange(request, request.prompt ?? "", (response) => ({ response }));
  },
};

/** POST /api/chat */
export const ollamaChat: Endpoint = {
  error: ollamaError,
  read(body) {
    const request = check(chatRequest, body);
    const message = (content: string) => ({ message: { role: "assistant", content } });
    return exchange(request, lastUserMessage(request.messages).content, message);
  },
};

/** GET /api/tags */
export function ollamaTags(model: string): object {
  const details = {
    parent_model: "",
    format: "gguf",
    family: "mock",
    families: ["mock"],
    parameter_size: "0B",
    quantization_level: "F32",
  };
  const digest = new Bun.CryptoHasher("sha256").update(model).digest("hex");
  return {
    models: [{ name: model, model, modified_at: new Date().toISOString(), size: 0, digest, details }],
  };
}

export function ollamaError(_status: number, message: string): object {
  return { error: message };
}

function check<S extends TSchema>(schema: Contract<S>, body: unknown): Of<Contract<S>> {
  if (!schema.check(body)) throw new WireError(400, schema.explain(body));
  const { model } = body as { model: string };
  if (!model) throw new WireError(404, "model '' not found");
  return body as Of<Contract<S>>;
}

function exchange(
  { model, stream = true }: { model: string; stream?: boolean },
  prompt: string,
  content: (text: string) => object,
): Exchange {
  const frame = (text: string, done: object) => ({
    model,
    created_at: new Date().toISOString(),
    ...content(text),
    ...done,
  });
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  return {
    prompt,
    stream,
    stream_type: "application/x-ndjson",
    opening: () => "",
    token: (text) => line(frame(text, { done: false })),
    closing: (usage) => line(frame("", statistics(usage))),
    whole: (answer, usage) => frame(answer, statistics(usage)),
  };
}

/** Durations in nanoseconds. */
function statistics(usage: Usage): object {
  const ns = (ms: number) => Math.round(ms * 1e6);
  return {
    done: true,
    done_reason: "stop",
    total_duration: ns(usage.total_ms),
    load_duration: 0,
    prompt_eval_count: usage.prompt_tokens,
    prompt_eval_duration: ns(usage.to_first_token_ms),
    eval_count: usage.answer_tokens,
    eval_duration: ns(usage.total_ms - usage.to_first_token_ms),
  };
}
