/** A document as it comes in, and as it is once read: a title and blocks of clean text under headings. */
import type { DocumentFormat, Metadata } from "#contracts";
import { parseHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import type { Block, Outline } from "./outline.ts";
import { parseText } from "./plain-text.ts";

export interface SourceDocument {
  /** Whose it is; the default tenant's where none is named. */
  readonly tenant?: string;
  readonly id: string;
  /** Where it came from: a path or an address. */
  readonly source: string;
  readonly format: DocumentFormat;
  readonly content: string;
  /** In place of the content's own. */
  readonly title?: string;
  readonly metadata?: Metadata;
}

export interface ParsedDocument {
  /** As given, or from the front matter, the first h1, `<title>` or the name of the source, in this order. */
  readonly title: string;
  readonly blocks: readonly Block[];
}

const parsers: Record<DocumentFormat, (content: string) => Outline> = {
  markdown: parseMarkdown,
  html: parseHtml,
  text: parseText,
};

/** Reads a document. Any content gives a result: what is broken in its markup is read as text. */
export function parseDocument({ source, format, content, title: given }: SourceDocument): ParsedDocument {
  // A queue message may carry half a surrogate pair or a NUL, which no store takes as text.
  const text = content.toWellFormed().replaceAll("\0", " ").replace(/\r\n?/g, "\n");
  const outline = parsers[format](text);
  const title = given ?? outline.title ?? nameOf(source);
  const blocks = outline.blocks().map((block) => {
    // The title stands before every passage anyway: not once more as its outermost heading.
    const [outermost, ...inner] = block.heading_path;
    return outermost === title ? { ...block, heading_path: inner } : block;
  });
  return { title, blocks };
}

/** `docs/load-balancing.txt` is called "load balancing". */
function nameOf(source: string): string {
  const path = source.replace(/[?#].*$/s, "");
  const name = path.split(/[\\/]/).filter(Boolean).at(-1) ?? source;
  return (
    name
      .replace(/(?<=.)\.\w+$/, "")
      .replace(/[-_\s]+/g, " ")
      .trim() || source
  );
}
