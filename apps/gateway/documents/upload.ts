/** An upload as it is sent: JSON, or a form with a file. */
import { extname } from "node:path";
import { type DocumentUpload, documentUpload, type UploadFormat } from "#contracts";
import { HttpError } from "../http-error.ts";
import { readBody } from "./body.ts";
import { invalidRequest } from "./errors.ts";

/** What was uploaded, its content not looked at yet. */
export interface Upload extends Omit<DocumentUpload, "content"> {
  /** A file's bytes; a string where it came as one. */
  readonly content: Uint8Array | string;
}

const FORMATS: readonly UploadFormat[] = ["markdown", "text", "html", "pdf"];
const OF_EXTENSION: Record<string, UploadFormat> = {
  ".md": "markdown",
  ".markdown": "markdown",
  ".txt": "text",
  ".html": "html",
  ".htm": "html",
  ".pdf": "pdf",
};
const OF_CONTENT_TYPE: Record<string, UploadFormat> = {
  "text/markdown": "markdown",
  "text/plain": "text",
  "text/html": "html",
  "application/pdf": "pdf",
};
const FIELDS = new Set(["id", "source", "title", "format", "metadata", "file"]);
/** As JSON: it goes with every chunk. */
const MAX_METADATA_CHARS = 16_384;

/** @throws HttpError 400, 408, 413 or 415 for what is no upload; the message says what is wrong with it. */
export async function readUpload(request: Request, timeout_ms?: number): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "";
  const kind = type.split(";")[0]?.trim().toLowerCase();
  if (kind === "application/json") return fromJson(await readBody(request, timeout_ms));
  if (kind === "multipart/form-data") return fromForm(await readBody(request, timeout_ms), type);
  throw new HttpError(
    415,
    "unsupported_media_type",
    "send the document as application/json, or as multipart/form-data with the field `file`",
  );
}

function fromJson(body: Uint8Array): Upload {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const message =
      error instanceof SyntaxError
        ? 'the body is not JSON: send an object such as {"format": "text", "content": "..."}'
        : "the body is not UTF-8, as JSON is";
    throw new HttpError(400, "invalid_json", message);
  }
  const upload = checked(value);
  if (upload.format !== "pdf") return upload;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(upload.content)) {
    throw invalidRequest("content: a PDF in JSON is its bytes in base64; or send it as multipart/form-data");
  }
  return { ...upload, content: Buffer.from(upload.content, "base64") };
}

async function fromForm(body: Uint8Array, type: string): Promise<Upload> {
  const form = await parseForm(body, type);
  const file = form.get("file");
  if (!(file instanceof Blob)) throw invalidRequest("file: the form needs a file under this name");
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) {
    if (!FIELDS.has(name)) throw invalidRequest(`${name}: there is no such field`);
    if (form.getAll(name).length > 1) throw invalidRequest(`${name}: given more than once`);
    if (name === "file") continue;
    if (typeof value !== "string") throw invalidRequest(`${name}: is a file where text is expected`);
    fields[name] = name === "metadata" ? parseMetadata(value) : value;
  }
  const { name = "" } = file as File;
  const content_type = file.type.split(";")[0]?.trim().toLowerCase() ?? "";
  fields.format ??= OF_EXTENSION[extname(name).toLowerCase()] ?? OF_CONTENT_TYPE[content_type];
  fields.source ??= name || undefined;
  const upload = checked({ ...fields, content: "" });
  return { ...upload, content: await file.bytes() };
}

async function parseForm(body: Uint8Array, type: string): Promise<FormData> {
  try {
    return await new Response(body as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": type },
    }).formData();
  } catch (cause) {
    const message = "the body is not the multipart/form-data that its content-type says";
    throw new HttpError(400, "invalid_form", message, { cause });
  }
}

function parseMetadata(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest('metadata: is not JSON: send an object such as {"lang": "en"}');
  }
}

function checked(value: unknown): DocumentUpload {
  if (!documentUpload.check(value)) {
    const format =
      typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
    if (typeof value === "object" && value !== null && !FORMATS.some((one) => one === format)) {
      throw invalidRequest(`format: say one of ${FORMATS.join(", ")}`);
    }
    throw invalidRequest(documentUpload.explain(value).replace(/^\/(?=\w)/, ""));
  }
  const { id = "", source = "", title = "", metadata = {} } = value;
  for (const [name, text] of Object.entries({ id, source, title, metadata: JSON.stringify(metadata) })) {
    if (!text.isWellFormed() || text.includes("\0"))
      throw invalidRequest(`${name}: holds half a character, or NUL`);
  }
  if (JSON.stringify(metadata).length > MAX_METADATA_CHARS) {
    throw invalidRequest(`metadata: more than ${MAX_METADATA_CHARS} characters of JSON`);
  }
  return value;
}
