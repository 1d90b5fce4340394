/** What a client of the documents' routes is told when something is wrong. */
import type { PdfError, PdfErrorCode } from "#pdf";
import { HttpError } from "../http-error.ts";

export function invalidRequest(message: string): HttpError {
  return new HttpError(400, "invalid_request", message);
}

/** The content is not of the format that was said. */
export function wrongFormat(message: string): HttpError {
  return new HttpError(415, "wrong_format", message);
}

const STATUS_OF_PDF: Record<PdfErrorCode, number> = {
  broken_pdf: 422,
  encrypted_pdf: 422,
  no_text: 422,
  too_costly: 422,
  too_many_pages: 413,
  text_too_large: 413,
};

export function fromPdf(error: PdfError): HttpError {
  return new HttpError(STATUS_OF_PDF[error.code], error.code, error.message, { cause: error });
}

export function redisAway(cause: unknown): HttpError {
  const message = "the queue's Redis does not answer; nothing was accepted: try again in a moment";
  return new HttpError(503, "redis_unavailable", message, { retry_after_s: 1, cause });
}

export function storeAway(cause: unknown): HttpError {
  const message = "the store cannot be read: try again in a moment";
  return new HttpError(503, "store_unavailable", message, { retry_after_s: 1, cause });
}

export function gatewayStopping(): HttpError {
  const message = "this gateway is stopping; nothing was accepted: try again, another one may take it";
  return new HttpError(503, "stopping", message, { retry_after_s: 1 });
}

export function noSuchDocument(document_id: string): HttpError {
  return new HttpError(404, "no_such_document", `there is no document ${JSON.stringify(document_id)}`);
}
