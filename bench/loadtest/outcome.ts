/** One question to the gateway, and what became of it. */
import type { QueryAnswer } from "#contracts";
import { parseAnswer, readError } from "./answer-body.ts";
import { readAnswerStream } from "./answer-stream.ts";

/** How the tokens of an answer came. */
export interface TokenTimes {
  /** From just before the request to its first token; to its end where there was none. */
  readonly first_ms: number;
  /** Between each token and the one after it. */
  readonly gaps_ms: readonly number[];
}

export type Outcome =
  /** `elapsed_ms`: from just before the request to its last byte read. */
  | {
      readonly kind: "answered";
      readonly answer: QueryAnswer;
      readonly elapsed_ms: number;
      /** Of streamed answers alone. */
      readonly tokens?: TokenTimes;
    }
  /** `reason` is the same for the same fault, so that it can be counted. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Nothing listens there: no gateway was asked. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** The client hung up on purpose: `abort_after_ms`. */
  | { readonly kind: "aborted" }
  /** Called off before it ended: says nothing about the gateway. */
  | { readonly kind: "abandoned" };

export interface AskOptions {
  /** Base URL of the gateway. */
  readonly url: string;
  readonly timeout_ms: number;
  /** Aborted: the question is abandoned at once. */
  readonly signal: AbortSignal;
  /** API key, sent as `Authorization: Bearer`. */
  readonly key?: string;
  /** Ask for server-sent events, and time the tokens. */
  readonly stream?: boolean;
  /** Hang up after so long, unless it has ended by then. */
  readonly abort_after_ms?: number;
}

/** Errors of `fetch` by their code, in words. */
const networkFaults: Record<string, Outcome> = {
  ECONNREFUSED: { kind: "unreachable", reason: "connection refused" },
  ENOTFOUND: { kind: "unreachable", reason: "host not found" },
  ECONNRESET: { kind: "failed", reason: "connection closed before the answer" },
};

/** Asks `query` and waits for the whole answer. Never rejects: every fault is an outcome. */
export async function ask(query: string, options: AskOptions): Promise<Outcome> {
  const { url, timeout_ms, signal, key, stream = false, abort_after_ms } = options;
  if (signal.aborted) return { kind: "abandoned" };
  // One controller and its timers a question: `AbortSignal.any` and `.timeout` cost half as much again.
  const controller = new AbortController();
  let ended: Outcome | undefined;
  const end = (as: Outcome) => {
    ended ??= as;
    controller.abort();
  };
  const abandon = () => end({ kind: "abandoned" });
  signal.addEventListener("abort", abandon);
  const timeout = setTimeout(end, timeout_ms, { kind: "failed", reason: "timeout" });
  const hangUp =
    abort_after_ms === undefined ? undefined : setTimeout(end, abort_after_ms, { kind: "aborted" });
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  const request: RequestInit = {
    method: "POST",
    headers,
    body: JSON.stringify(stream ? { query, stream } : { query }),
    signal: controller.signal,
  };
  const started = performance.now();
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/query`, request);
    if (stream && response.status === 200) return await readAnswerStream(response, started);
    const body = await response.text();
    const elapsed_ms = performance.now() - started;
    if (response.status !== 200) return { kind: "failed", reason: readError(response, body) };
    const answer = parseAnswer(body);
    return answer.ok
      ? { kind: "answered", answer: answer.body, elapsed_ms }
      : { kind: "failed", reason: answer.reason };
  } catch (error) {
    return ended ?? readFault(error);
  } finally {
    clearTimeout(timeout);
    clearTimeout(hangUp);
    signal.removeEventListener("abort", abandon);
  }
}

function readFault(error: unknown): Outcome {
  const { code, message } = error as Error & { code?: unknown };
  return networkFaults[String(code)] ?? { kind: "failed", reason: message };
}
