/** Reads a JSON body, never more of it than allowed: a body need not tell its length. */
import { MAX_BODY_BYTES } from "#contracts";
import { HttpError } from "./http-error.ts";

/** @throws HttpError 413 past `MAX_BODY_BYTES`, 415 for another content type, 400 for what is not JSON. */
export async function readJson(request: Request): Promise<unknown> {
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
  const text = length === null ? await readText(request) : await request.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "invalid_json", 'the body is not JSON: send an object such as {"query": "..."}');
  }
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
