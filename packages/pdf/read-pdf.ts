/**
 * A PDF's text, read in a process of its own: a file of a megabyte can be built to take gigabytes and minutes, and
 * neither may be taken from whoever asks.
 *
 * The life of a reading:
 * 1. It waits for its turn: `AT_ONCE` are under way.
 * 2. A child process gets the file on stdin. Its environment is empty, its priority low, and a thread in it kills it
 *    once it holds more than `memory_bytes` (threads share their process's memory: a worker thread could not be bounded).
 * 3. It prints the text, or why there is none, as one line of JSON. It is killed at `timeout_ms`, at the caller's
 *    signal, and if it prints more than a document may be.
 */
import { join } from "node:path";
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENT_PAGES } from "#contracts";
import { PdfError, type PdfErrorCode } from "./pdf-error.ts";
import { Turns } from "./turns.ts";

export interface PdfText {
  /** What the file calls itself, if it does. */
  readonly title?: string;
  readonly pages: number;
  /** Its text with the headings and paragraphs that its layout shows. */
  readonly html: string;
}

export interface ReadPdfOptions {
  /** Kills the reading. */
  readonly signal?: AbortSignal;
  /** How long it may take, ms. Default: 30,000, some thousand pages. */
  readonly timeout_ms?: number;
  /** How much memory it may take. Default: 512 MB, of which the reader itself is 80. */
  readonly memory_bytes?: number;
  /** Default: `MAX_DOCUMENT_PAGES`. */
  readonly max_pages?: number;
}

/** What the child prints. */
export type Printed =
  | ({ readonly kind: "text" } & PdfText)
  | { readonly kind: "error"; readonly code: PdfErrorCode; readonly message: string };

/** What the child is told, as its one argument. */
export interface Order {
  readonly memory_bytes: number;
  readonly max_pages: number;
  readonly max_chars: number;
}

/** Two: the rest of the machine goes on. */
const AT_ONCE = 2;
const CHILD = join(import.meta.dir, "child.ts");
/** JSON escapes a character with up to six. */
const MAX_PRINTED_BYTES = 6 * MAX_DOCUMENT_BYTES;

const turns = new Turns(AT_ONCE);

/** @throws PdfError if it gives no text; the signal's reason when that fires. */
export async function readPdf(bytes: Uint8Array, options: ReadPdfOptions = {}): Promise<PdfText> {
  const { signal } = options;
  const done = await turns.take(signal);
  try {
    signal?.throwIfAborted();
    return await readInChild(bytes, options);
  } finally {
    done();
  }
}

async function readInChild(bytes: Uint8Array, options: ReadPdfOptions): Promise<PdfText> {
  const {
    signal,
    timeout_ms = 30_000,
    memory_bytes = 512 * 2 ** 20,
    max_pages = MAX_DOCUMENT_PAGES,
  } = options;
  const order: Order = { memory_bytes, max_pages, max_chars: MAX_DOCUMENT_BYTES };
  const child = Bun.spawn([process.execPath, CHILD, JSON.stringify(order)], {
    env: {},
    stdin: bytes,
    stdout: "pipe",
    stderr: "ignore",
    timeout: timeout_ms,
    killSignal: "SIGKILL",
    signal,
  });
  const printed = await readBounded(child.stdout, MAX_PRINTED_BYTES).catch(() => undefined);
  if (printed === undefined) child.kill("SIGKILL");
  const code = await child.exited;
  signal?.throwIfAborted();
  // Killed by its own guard, at the time-out, for what it printed, or by a system that ran out of memory.
  if (printed === undefined || child.signalCode === "SIGKILL") {
    throw new PdfError(
      "too_costly",
      `reading this PDF takes more than ${timeout_ms / 1_000} s or ${memory_bytes / 2 ** 20} MB: split it, or save it anew`,
    );
  }
  const answer = parse(printed);
  if (answer?.kind === "text") return { title: answer.title, pages: answer.pages, html: answer.html };
  if (answer?.kind === "error") throw new PdfError(answer.code, answer.message);
  throw new PdfError(
    "broken_pdf",
    `the PDF ended its reader (exit code ${code}): save it anew and try again`,
  );
}

/** All that a stream gives, as text; `undefined` if it is more than `limit` bytes. */
async function readBounded(stream: ReadableStream<Uint8Array>, limit: number): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stream) {
    bytes += part.byteLength;
    if (bytes > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parse(printed: string): Printed | undefined {
  try {
    return JSON.parse(printed);
  } catch {
    return undefined; // it died midway
  }
}
