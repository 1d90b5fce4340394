/** Reads a JSON body, never more of it nor longer than allowed: a body need not tell its length, nor ever end. */
import { MAX_BODY_BYTES } from "#contracts";
import { HttpError } from "./http-error.ts";

/** How long a body may take to arrive where nothing else is said, ms. */
const BODY_TIMEOUT_MS = 60_000;

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
    return JSON.parse(text, refuseInherited);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(400, "invalid_json", 'the body is not JSON: send an object such as {"query": "..."}');
  }
}

/** An object whose `toString` is a number cannot be told of: the error about it would be an error itself. */
function refuseInherited(name: string, value: unknown): unknown {
  if (name in Object.prototype)
    throw new HttpError(400, "invalid_request", `${name}: there is no such field`);
  return value;
}

/** @throws HttpError 408 where `reading` a body takes longer than `timeout_ms`. */
export async function inTime<T>(reading: Promise<T>, timeout_ms = BODY_TIMEOUT_MS): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `the body did not arrive within ${timeout_ms / 1_000} s; nothing was accepted`;
    // What still comes of it is nobody's: the connection cannot be used again.
    const error = new HttpError(408, "body_timeout", message, { headers: { connection: "close" } });
    timer = setTimeout(() => reject(error), timeout_ms);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
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
