/** What an upload says, as text: its bytes are held against the format that it claims. */
import type { DocumentFormat } from "#contracts";
import { PdfError, readPdf } from "#pdf";
import { HttpError } from "../http-error.ts";
import { fromPdf, wrongFormat } from "./errors.ts";
import type { Upload } from "./upload.ts";

export interface Content {
  readonly format: DocumentFormat;
  readonly content: string;
  /** What a PDF calls itself. */
  readonly title?: string;
}

/** First bytes of what is taken for text now and then. */
const SIGNATURES: readonly [what: string, bytes: string][] = [
  ["a ZIP archive, or an Office document", "PK\x03\x04"],
  ["gzip", "\x1f\x8b"],
  ["an old Office document", "\xd0\xcf\x11\xe0"],
  ["an image", "\x89PNG"],
  ["an image", "\xff\xd8\xff"],
  ["an image", "GIF8"],
  ["a program", "\x7fELF"],
];
const PDF = "%PDF-";
/** Readers accept a PDF that begins within this many bytes. */
const PDF_WITHIN = 1_024;
/** Binary data has a control character in every ninth byte; text has one now and then. */
const MOST_CONTROLS = 0.01;

/** @throws HttpError 413, 415 or 422 for content that cannot be indexed; the signal's reason when it fires. */
export async function contentOf({ format, content }: Upload, signal: AbortSignal): Promise<Content> {
  if (format === "pdf") return readPdfContent(content as Uint8Array, signal);
  const text = typeof content === "string" ? content : decode(content);
  refuseBinary(text);
  const shown = format === "html" ? text.replace(/<[^<>]*>/g, "") : text;
  if (!/\S/.test(shown)) throw new HttpError(422, "empty_document", "the document has no text");
  return { format, content: text };
}

async function readPdfContent(bytes: Uint8Array, signal: AbortSignal): Promise<Content> {
  if (bytes.byteLength === 0) throw new HttpError(422, "empty_document", "the document is empty");
  if (!latin1(bytes, PDF_WITHIN).includes(PDF))
    throw wrongFormat("the content is no PDF: it does not begin as one");
  try {
    const { html, title } = await readPdf(bytes, { signal });
    return { format: "html", content: html, title };
  } catch (error) {
    throw error instanceof PdfError ? fromPdf(error) : error;
  }
}

function decode(bytes: Uint8Array): string {
  const start = latin1(bytes, 8);
  if (start.startsWith(PDF)) throw wrongFormat("the content is a PDF: send it with the format pdf");
  const known = SIGNATURES.find(([, signature]) => start.startsWith(signature));
  if (known) throw wrongFormat(`the content is ${known[0]}: send text, Markdown, HTML or PDF`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const message = "the content is not UTF-8 text: convert it, for example with iconv";
    throw new HttpError(415, "invalid_utf8", message);
  }
}

function refuseBinary(text: string): void {
  if (!text.isWellFormed())
    throw new HttpError(415, "invalid_utf8", "the content holds half of a surrogate pair");
  if (text.startsWith(PDF)) throw wrongFormat("the content is a PDF: send it with the format pdf");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const controls = text.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/g)?.length ?? 0;
  if (text.includes("\0") || controls > MOST_CONTROLS * text.length) {
    throw wrongFormat("the content is binary, not text: send text, Markdown, HTML or PDF");
  }
}

function latin1(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(length, bytes.byteLength)).toString("latin1");
}
