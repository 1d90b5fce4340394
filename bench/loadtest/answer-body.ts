/** The gateway's JSON bodies, checked against their contracts. */
import { contract, ErrorBody, QueryAnswer } from "#contracts";

const answerContract = contract(QueryAnswer);
const errorContract = contract(ErrorBody);

export type ParsedAnswer =
  | { readonly ok: true; readonly body: QueryAnswer }
  | { readonly ok: false; readonly reason: string };

export function parseAnswer(text: string): ParsedAnswer {
  const body = parseJson(text);
  if (answerContract.check(body)) return { ok: true, body };
  const fault = body === undefined ? "not JSON" : answerContract.explain(body);
  return { ok: false, reason: `malformed answer: ${fault}` };
}

/** `503 redis_unavailable`, or the status's own name where the body is not the gateway's. */
export function readError(response: Response, text: string): string {
  return `${response.status} ${errorCode(text) ?? response.statusText}`.trim();
}

/** The stable code of an error body. */
export function errorCode(text: string): string | undefined {
  const body = parseJson(text);
  return errorContract.check(body) ? body.error.code : undefined;
}

/** `undefined` for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
