/** Reads a JSON body, never more of it nor longer than allowed: a body need not tell its length, nor ever end. */
import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { ValidationError } from "elysia";
import { MAX_BODY_BYTES } from "#contracts";
import { HttpError } from "./http-error.ts";

/** How long a body may take to arrive where nothing else is said, ms. */
const BODY_TIMEOUT_MS = 60_000;

/**
 * A route's hooks that read its body and hold it to its schema, which the route names as `body` too. Elysia's own would make a
 * stream of each body first: a sixth of what a question costs the gateway itself.
 */
export function jsonBody<S extends TSchema>(schema: S, timeout_ms: number) {
  const compiled = TypeCompiler.Compile(schema);
  return {
    parse: "none" as const,
    async transform(asked: { readonly request: Request; body: unknown }): Promise<void> {
      const body = await readJson(asked.request, timeout_ms);
      if (!compiled.Check(body)) throw new ValidationError("body", compiled, body);
      asked.body = body satisfies Static<S>;
    },
  };
}

/** @throws HttpError 408 for a body that takes longer than `timeout_ms`, 413 past `MAX_BODY_BYTES`, 415 for another content type, 400 for what is not JSON. */
export async function readJson(request: Request, timeout_ms = BODY_TIMEOUT_MS): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new HttpError(
      415,
      "unsupported_media_type",
      "send the question as JSON, with content-type: application/json",
    );
  }
  const length = request.headers.get("content-length");
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge();
  // The server holds a body to the length that it told; one that did not tell is counted as it comes.
  const text = await inTime(length === null ? readText(request) : request.text(), timeout_ms);
  try {
    // Names that no body holds are not looked for field by field: that takes three times as long as reading it does.
    return MAY_INHERIT.test(text) ? JSON.parse(text, refuseInherited) : JSON.parse(text);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "invalid_json", 'the body is not JSON: send an object such as {"query": "..."}');
  }
}

/** A name of `Object.prototype`, or an escape that may hide one. */
const MAY_INHERIT = new RegExp(`\\\\u|${Object.getOwnPropertyNames(Object.prototype).join("|")}`);

/** An object whose `toString` is a number cannot be told of: the error about it would be an error itself. */
function refuseInherited(name: string, value: unknown): unknown {
  if (name in Object.prototype)
    throw new HttpError(400, "invalid_request", `${name}: there is no such field`);
  return value;
}

/** @throws HttpError 408 where `reading` a body takes longer than `timeout_ms`. */
export function inTime<T>(reading: Promise<T>, timeout_ms = BODY_TIMEOUT_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate(timeout_ms)), timeout_ms);
    const over =
      <A>(then: (value: A) => void) =>
      (value: A) => {
        clearTimeout(timer);
        then(value);
      };
    reading.then(over(resolve), over(reject));
  });
}

function tooLate(timeout_ms: number): HttpError {
  const message = `the body did not arrive within ${timeout_ms / 1_000} s; nothing was accepted`;
  // What still comes of it is nobody's: the connection cannot be used again.
  return new HttpError(408, "body_timeout", message, { headers: { connection: "close" } });
}

async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(): HttpError {
  return new HttpError(413, "body_too_large", `the body is larger than ${MAX_BODY_BYTES} bytes`);
}
