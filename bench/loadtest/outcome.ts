/** One question to the gateway, and what became of it. */
import { contract, ErrorBody, QueryAnswer } from "#contracts";

export type Outcome =
  /** `elapsed_ms`: from just before the request to its last byte read. */
  | { readonly kind: "answered"; readonly answer: QueryAnswer; readonly elapsed_ms: number }
  /** `reason` is the same for the same fault, so that it can be counted. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Nothing listens there: no gateway was asked. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Called off before it ended: says nothing about the gateway. */
  | { readonly kind: "abandoned" };

export interface AskOptions {
  /** Base URL of the gateway. */
  readonly url: string;
  readonly timeout_ms: number;
  /** Aborted: the question is abandoned at once. */
  readonly signal: AbortSignal;
}

const answerContract = contract(QueryAnswer);
const errorContract = contract(ErrorBody);

/** Errors of `fetch` by their code, in words. */
const networkFaults: Record<string, Outcome> = {
  ECONNREFUSED: { kind: "unreachable", reason: "connection refused" },
  ENOTFOUND: { kind: "unreachable", reason: "host not found" },
  ECONNRESET: { kind: "failed", reason: "connection closed before the answer" },
};

/** Asks `query` and waits for the whole answer. Never rejects: every fault is an outcome. */
export async function ask(query: string, { url, timeout_ms, signal }: AskOptions): Promise<Outcome> {
  const request: RequestInit = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
  };
  const started = performance.now();
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/query`, request);
    const body = await response.text();
    const elapsed_ms = performance.now() - started;
    return response.status === 200 ? readAnswer(body, elapsed_ms) : readError(response, body);
  } catch (error) {
    return signal.aborted ? { kind: "abandoned" } : readFault(error);
  }
}

function readAnswer(body: string, elapsed_ms: number): Outcome {
  const answer = parseJson(body);
  if (answerContract.check(answer)) return { kind: "answered", answer, elapsed_ms };
  const fault = answer === undefined ? "not JSON" : answerContract.explain(answer);
  return { kind: "failed", reason: `malformed answer: ${fault}` };
}

function readError(response: Response, body: string): Outcome {
  const parsed = parseJson(body);
  const name = errorContract.check(parsed) ? parsed.error.code : response.statusText;
  return { kind: "failed", reason: `${response.status} ${name}`.trim() };
}

function readFault(error: unknown): Outcome {
  const { name, code, message } = error as Error & { code?: unknown };
  if (name === "TimeoutError") return { kind: "failed", reason: "timeout" };
  return networkFaults[String(code)] ?? { kind: "failed", reason: message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
