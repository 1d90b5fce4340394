/** HTML, whole pages or pieces, however broken: what a reader would see of it as text. */
import { Parser } from "htmlparser2";
import { fold, Outline } from "./outline.ts";

/** Not for readers, or the same on every page of a site. */
const SKIPPED = new Set(["script", "style", "nav", "template", "noscript", "svg", "iframe"]);

/** Elements that do not end the paragraph they stand in. All others do, known or not. */
const INLINE = new Set(
  (
    "a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark output q rp rt ruby s samp " +
    "small span strike strong sub sup time tt u var wbr"
  ).split(" "),
);

const LISTS = new Set(["ul", "ol", "dl", "menu"]);

export function parseHtml(content: string): Outline {
  const outline = new Outline();
  readHtml(outline, content);
  return outline;
}

/** Adds the blocks of `content` to `outline`. */
export function readHtml(outline: Outline, content: string): void {
  const reader = new HtmlReader(outline);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => reader.open(name, attributes),
      onclosetag: (name) => reader.close(name),
      ontext: (text) => reader.text(text),
    },
    { decodeEntities: true },
  );
  parser.end(content);
  reader.end();
}

/**
 * Text is gathered until an element ends the paragraph it stands in. Inside a list or a table that
 * paragraph is a line or a cell of it, and the block is complete with the outermost `</ul>` or `</table>`.
 */
class HtmlReader {
  #text = "";
  #skipping = 0;
  #preformatted = 0;
  #lists = 0;
  #tables = 0;
  #lines: string[] = [];
  #cells: string[] = [];

  constructor(readonly outline: Outline) {}

  open(name: string, attributes: Record<string, string>): void {
    if (SKIPPED.has(name)) this.#skipping++;
    if (name === "br") this.#text += "\n";
    else if (name === "img") this.text(attributes.alt ?? "");
    else if (!INLINE.has(name)) this.#endText();

    if (LISTS.has(name)) this.#lists++;
    if (name === "table" && this.#tables++ === 0) this.#endLines("list");
    if (name === "pre" && this.#preformatted++ === 0) this.#endLines();
  }

  close(name: string): void {
    if (SKIPPED.has(name)) this.#skipping--;
    if (INLINE.has(name) || name === "br" || name === "img") return;

    const level = /^h([1-6])$/.exec(name)?.[1];
    if (level) this.#heading(Number(level));
    else if (name === "title") this.outline.offerTitle("fallback", this.#take());
    else if (name === "pre") this.#code();
    else this.#endText();
    if (name === "tr") this.#endRow();
    // The block is told by what it is at the outermost: a list in a table's cell is of the table.
    if (LISTS.has(name) && --this.#lists === 0 && this.#tables === 0) this.#endLines("list");
    if (name === "table" && --this.#tables === 0) this.#endLines("table");
  }

  text(text: string): void {
    if (this.#skipping === 0) this.#text += text;
  }

  end(): void {
    this.#endText();
    this.#endLines();
  }

  #take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #heading(level: number): void {
    const text = this.#take();
    this.#endLines();
    this.outline.heading(level, text);
  }

  #code(): void {
    if (--this.#preformatted > 0) return;
    this.outline.add("code", this.#take());
  }

  #endText(): void {
    if (this.#preformatted > 0) return;
    const text = fold(this.#take());
    if (!text) return;
    if (this.#tables > 0) this.#cells.push(text);
    else if (this.#lists > 0) this.#lines.push(text);
    else this.outline.add("paragraph", text);
  }

  #endRow(): void {
    if (this.#cells.length > 0) this.#lines.push(this.#cells.join(" | "));
    this.#cells = [];
  }

  #endLines(kind: "list" | "table" = this.#tables > 0 ? "table" : "list"): void {
    this.#endRow();
    this.outline.add(kind, this.#lines.join("\n"));
    this.#lines = [];
  }
}
