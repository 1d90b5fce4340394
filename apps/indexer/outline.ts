/**
 * Collects a document's blocks under its headings while a parser walks through it.
 *
 * A heading longer than headings are is taken for a paragraph, and one with nothing under it is text
 * too, so that no words are lost and a document of headings alone can be found.
 */

/** `code` keeps its white space; a `list` has one item a line, a `table` one row. */
export type BlockKind = "paragraph" | "list" | "table" | "code";

export interface Block {
  /** Headings above the block, outermost first. */
  readonly heading_path: readonly string[];
  readonly kind: BlockKind;
  /** Clean and never blank: no markup, white space folded except in code. */
  readonly text: string;
}

const MAX_HEADING_CHARS = 200;

/** White space folded to single spaces. */
export function fold(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

export class Outline {
  /** The document's own name for itself, if it has one: the best of those that were offered. */
  get title(): string | undefined {
    return this.#declared ?? this.#h1 ?? this.#fallback;
  }

  #declared?: string;
  #h1?: string;
  #fallback?: string;
  #headings: { level: number; text: string }[] = [];
  /** Whether nothing has come yet under the innermost heading. */
  #bare = false;
  #blocks: Block[] = [];

  /** Offers a title: `declared` goes before the first h1, `fallback` after it. */
  offerTitle(rank: "declared" | "fallback", text: string): void {
    const title = fold(text).slice(0, MAX_HEADING_CHARS).toWellFormed() || undefined;
    if (rank === "declared") this.#declared ??= title;
    else this.#fallback ??= title;
  }

  /** Begins a section; `level` is 1 to 6. */
  heading(level: number, raw: string): void {
    const text = fold(raw);
    if (!text) return;
    if (text.length > MAX_HEADING_CHARS) {
      this.add("paragraph", text);
      return;
    }
    if (level === 1) this.#h1 ??= text;
    if (level <= (this.#headings.at(-1)?.level ?? 0)) this.#keepBareHeading();
    while (level <= (this.#headings.at(-1)?.level ?? 0)) this.#headings.pop();
    this.#headings.push({ level, text });
    this.#bare = true;
  }

  /** Adds a block to the innermost section; blank ones are passed over. */
  add(kind: BlockKind, raw: string): void {
    const text = clean(kind, raw);
    if (!text) return;
    this.#bare = false;
    this.#blocks.push({ heading_path: this.#headings.map((heading) => heading.text), kind, text });
  }

  /** All blocks, in the order of the document; the outline is complete with this. */
  blocks(): readonly Block[] {
    this.#keepBareHeading();
    return this.#blocks;
  }

  #keepBareHeading(): void {
    if (!this.#bare) return;
    const bare = this.#headings.pop();
    if (bare) this.add("paragraph", bare.text);
  }
}

function clean(kind: BlockKind, text: string): string {
  switch (kind) {
    case "paragraph":
      return fold(text);
    case "code":
      // Leading blank lines go, the first line's indentation stays.
      return text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
    default:
      return text.split("\n").map(fold).filter(Boolean).join("\n");
  }
}
