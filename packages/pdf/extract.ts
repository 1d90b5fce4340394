/** What a PDF says, by PDF.js: without a worker of its own, and without anything from the network. */
import { getDocumentProxy } from "unpdf";
import { type Line, toHtml } from "./layout.ts";
import { PdfError } from "./pdf-error.ts";
import type { Order, PdfText } from "./read-pdf.ts";

/** @throws PdfError if it gives no text; anything else is the library's, about a broken file. */
export async function extract(bytes: Uint8Array, { max_pages, max_chars }: Order): Promise<PdfText> {
  const document = await open(bytes);
  const pages = document.numPages;
  if (pages > max_pages) {
    throw new PdfError("too_many_pages", `the PDF has ${pages} pages; ${max_pages} may be: split it`);
  }
  const lines: Line[] = [];
  let chars = 0;
  for (let number = 1; number <= pages; number++) {
    const page = await document.getPage(number);
    for await (const { items } of page.streamTextContent() as unknown as AsyncIterable<TextPart>) {
      for (const item of items) chars += item.str?.length ?? 0;
      if (chars > max_chars) {
        throw new PdfError(
          "text_too_large",
          `the PDF has more than ${max_chars} characters of text: split it`,
        );
      }
      addItems(lines, items, number);
    }
    page.cleanup();
  }
  const html = toHtml(lines);
  if (!html)
    throw new PdfError("no_text", "the PDF has no text: if it was scanned, run it through OCR first");
  return { title: await titleOf(document), pages, html };
}

/** As much of PDF.js's items as is used; those without `str` mark structure. */
interface TextPart {
  readonly items: readonly {
    readonly str?: string;
    readonly height?: number;
    readonly transform?: readonly number[];
    readonly hasEOL?: boolean;
  }[];
}

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;

async function open(bytes: Uint8Array): Promise<PdfDocument> {
  try {
    return await getDocumentProxy(bytes, { verbosity: 0 });
  } catch (error) {
    if ((error as Error).name !== "PasswordException") throw error;
    throw new PdfError("encrypted_pdf", "the PDF opens with a password alone: save it without one", {
      cause: error,
    });
  }
}

function addItems(lines: Line[], items: TextPart["items"], page: number): void {
  for (const { str, height = 0, transform, hasEOL } of items) {
    if (str === undefined) continue;
    const last = lines.at(-1);
    const line = last && !last.ended && last.page === page ? last : undefined;
    if (line) {
      line.text += str;
      line.size ||= height;
      line.ended = hasEOL ?? false;
    } else lines.push({ page, text: str, size: height, y: transform?.[5] ?? 0, ended: hasEOL ?? false });
  }
}

async function titleOf(document: PdfDocument): Promise<string | undefined> {
  const { info } = await document.getMetadata();
  const title = "Title" in info && typeof info.Title === "string" ? info.Title.trim() : "";
  return title.slice(0, 512).toWellFormed() || undefined;
}
