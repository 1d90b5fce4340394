/** An upload's body, never more of it than allowed: a body need not tell its length, nor tell the truth. */
import { MAX_DOCUMENT_BYTES } from "#contracts";
import { inTime } from "../body.ts";
import { HttpError } from "../http-error.ts";

/** @throws HttpError 408 past `timeout_ms`, 413 past `MAX_DOCUMENT_BYTES`, 415 for a compressed body. */
export async function readBody(request: Request, timeout_ms?: number): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (encoding !== "identity") {
    // A few KB of gzip can be gigabytes, and 20 MB need no compression.
    throw new HttpError(
      415,
      "unsupported_content_encoding",
      `send the body as it is, not with content-encoding: ${encoding}`,
    );
  }
  if (Number(request.headers.get("content-length")) > MAX_DOCUMENT_BYTES) throw tooLarge();
  return inTime(readParts(request), timeout_ms);
}

async function readParts(request: Request): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_DOCUMENT_BYTES) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(): HttpError {
  const message = `the body is larger than ${MAX_DOCUMENT_BYTES / 2 ** 20} MB: split the document`;
  return new HttpError(413, "body_too_large", message);
}
