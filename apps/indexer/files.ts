/** Documents as files: which there are, what they are called in the store, and what is in them. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { MAX_DOCUMENT_BYTES, type UploadFormat } from "#contracts";
import { PdfError, readPdf } from "#pdf";
import type { SourceDocument } from "./document.ts";

const FORMATS: Record<string, UploadFormat> = {
  ".md": "markdown",
  ".markdown": "markdown",
  ".txt": "text",
  ".html": "html",
  ".htm": "html",
  ".pdf": "pdf",
};

/** A file or folder that could not be read, or a path that is not there; the message says which and why. */
export class FileError extends Error {
  override name = "FileError";

  constructor(
    readonly path: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: ${reason}`, options);
  }
}

export interface FoundFiles {
  /** Documents' ids in order, each with its format. */
  readonly documents: ReadonlyMap<string, UploadFormat>;
  /** Files of other kinds. */
  readonly skipped: number;
  readonly errors: readonly FileError[];
}

/**
 * What a file is called in the store, however it is reached: its path from the current directory if
 * below it, else its absolute path; with `/` between names.
 */
export async function documentId(path: string): Promise<string> {
  const absolute = await real(resolve(path));
  const from_here = relative(await real(process.cwd()), absolute);
  const below =
    from_here !== ".." && !from_here.startsWith(`..${sep}`) && resolve(from_here) === resolve(absolute);
  return (below ? from_here : absolute).split(sep).join("/");
}

/** All documents at and below `paths`; without hidden files, `node_modules`, and what links lead to. */
export async function findDocuments(paths: readonly string[]): Promise<FoundFiles> {
  const found: [string, UploadFormat][] = [];
  const errors: FileError[] = [];
  let skipped = 0;

  const visit = async (path: string): Promise<void> => {
    try {
      const format = FORMATS[extname(path).toLowerCase()];
      if ((await stat(path)).isDirectory()) {
        const entries = await readdir(path, { withFileTypes: true });
        for (const { name } of entries.filter((entry) => !entry.isSymbolicLink())) {
          if (!name.startsWith(".") && name !== "node_modules") await visit(join(path, name));
        }
      } else if (format) found.push([await documentId(path), format]);
      else skipped++;
    } catch (error) {
      errors.push(fileError(path, error));
    }
  };
  for (const path of paths) await visit(path);

  const documents = new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  return { documents, skipped, errors };
}

/** @throws FileError if it cannot be read, is too large, or is not UTF-8; of a PDF, if it gives no text. */
export async function readDocument(id: string, format: UploadFormat): Promise<SourceDocument> {
  try {
    const { size } = await stat(id);
    if (size > MAX_DOCUMENT_BYTES) {
      throw new FileError(id, `${Math.ceil(size / 2 ** 20)} MB; a document may have 20, so split it`);
    }
    const bytes = await readFile(id);
    if (format === "pdf") {
      const { html, title } = await readPdf(bytes);
      return { id, source: id, format: "html", content: html, title };
    }
    const content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { id, source: id, format, content };
  } catch (error) {
    throw fileError(id, error);
  }
}

/** Of `ids`, those of files at or below `paths` that are gone. Ids that are not files' paths stay. */
export async function goneFrom(paths: readonly string[], ids: readonly string[]): Promise<string[]> {
  const roots = await Promise.all(paths.map(documentId));
  const candidates = ids.filter(
    (id) => FORMATS[extname(id).toLowerCase()] && roots.some((root) => isWithin(root, id)),
  );
  const exists = await Promise.all(candidates.map((id) => stat(id).then(Boolean, isThere)));
  return candidates.filter((_, at) => !exists[at]);
}

/** Whether `id` is `root` or, `root` being a folder, below it; both are ids. */
export function isWithin(root: string, id: string): boolean {
  if (root === "") return !id.startsWith("/");
  return id === root || id.startsWith(`${root}/`);
}

/** Only what is surely not there is gone: a folder that may not be read says nothing. */
function isThere(error: NodeJS.ErrnoException): boolean {
  return error.code !== "ENOENT" && error.code !== "ENOTDIR";
}

/** The path with links resolved; of what is not there, as far as it is. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await real(parent), basename(path));
  }
}

function fileError(path: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  if (error instanceof PdfError) return new FileError(path, error.message, { cause: error });
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    {
      ENOENT: "no such file or folder",
      EACCES: "may not be read: check its permissions",
      ERR_ENCODING_INVALID_ENCODED_DATA: "not UTF-8 text: convert it, for example with iconv",
    }[code ?? ""] ?? message;
  return new FileError(path, reason, { cause: error });
}
