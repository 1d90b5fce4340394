/** An answer as OpenAI's chat API gives it: whole, or chunk by chunk. */
import {
  type Annotation,
  type AnswerEvent,
  CHAT_MODEL,
  type ChatCompletion,
  type ChatUsage,
  estimateTokens,
  type QueryAnswer,
  type Source,
} from "#contracts";
import { statusOfCode } from "../http-error.ts";
import { openaiError } from "./errors.ts";

export function chatCompletion(query: string, given: QueryAnswer): ChatCompletion {
  const { job_id, answer, sources } = given;
  const annotations = annotate(answer, sources);
  const message = { role: "assistant", content: answer, refusal: null, annotations } as const;
  return {
    id: chatId(job_id),
    object: "chat.completion",
    created: now(),
    model: CHAT_MODEL,
    choices: [{ index: 0, message, finish_reason: "stop", logprobs: null }],
    usage: usageOf(query, given),
    citations: sources,
  };
}

/** One for each stream: what its events are as chunks, each a `data` line. */
export function chunkEncoder(query: string, include_usage: boolean): (event: AnswerEvent) => string {
  const created = now();
  let id = "";
  /** What the client has, and what the answer is so far: shorter, where it begins anew. */
  let sent = "";
  let text = "";
  let over = false;

  const data = (value: unknown) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
  const frame = (more: object) =>
    data({ id, object: "chat.completion.chunk", created, model: CHAT_MODEL, ...more });
  const chunk = (delta: object, more: object = {}, finish_reason: string | null = null) =>
    frame({ choices: [{ index: 0, delta, finish_reason, logprobs: null }], ...more });
  const fail = (status: number, code: string, message: string) => {
    over = true;
    return data(openaiError(status, code, message));
  };

  return ({ event, data: said }) => {
    if (over) return "";
    switch (event) {
      case "accepted":
        id = chatId(said.job_id);
        return chunk({ role: "assistant", content: "" });
      case "sources":
        return chunk({}, { citations: said.sources });
      case "reset":
        text = "";
        return "";
      case "token": {
        text += said.text;
        // There is no way to take back what was sent: an answer that begins anew must go on from it.
        if (!text.startsWith(sent) && !sent.startsWith(text)) {
          return fail(
            502,
            "replica_failed",
            "a replica failed midway, and another answers otherwise: ask again",
          );
        }
        const content = text.slice(sent.length);
        sent += content;
        return content && chunk({ content });
      }
      case "done": {
        const { answer, sources } = said;
        const last = chunk({ annotations: annotate(answer, sources) }, { citations: sources }, "stop");
        const usage = include_usage ? frame({ choices: [], usage: usageOf(query, said) }) : "";
        return `${last}${usage}${data("[DONE]")}`;
      }
      case "error":
        return fail(statusOfCode(said.error.code), said.error.code, said.error.message);
    }
  };
}

function chatId(job_id: string): string {
  return `chatcmpl-${job_id}`;
}

/** Each `[1]` in the answer that is a source's number. */
function annotate(answer: string, sources: readonly Source[]): Annotation[] {
  return [...answer.matchAll(/\[(\d+)\]/g)].flatMap(({ 0: mark, 1: number, index }) => {
    const cited = sources[Number(number) - 1];
    if (!cited) return [];
    const { title, source: url } = cited;
    const place = { start_index: index, end_index: index + mark.length - 1 };
    return [{ type: "url_citation", url_citation: { ...place, title, url } } as const];
  });
}

/** Of a worker that does not say, what it can be told by. */
function usageOf(query: string, { usage, answer, sources }: QueryAnswer): ChatUsage {
  const { prompt_tokens, completion_tokens, estimated } = usage ?? {
    prompt_tokens: estimateTokens(query, ...sources.flatMap(({ title, text }) => [title, text])),
    completion_tokens: estimateTokens(answer),
    estimated: true,
  };
  const total_tokens = prompt_tokens + completion_tokens;
  return { prompt_tokens, completion_tokens, total_tokens, ...(estimated && { estimated }) };
}

/** Epoch seconds. */
function now(): number {
  return Math.floor(Date.now() / 1_000);
}
