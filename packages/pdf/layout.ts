/** Lines on pages to headings and paragraphs: by the size of the type, and by the space between lines. */

export interface Line {
  readonly page: number;
  text: string;
  /** Height of its type, points. */
  size: number;
  /** Its place on the page, from the bottom, points. */
  readonly y: number;
  /** Whether the line is complete. */
  ended: boolean;
}

/** A heading's type is so much larger than that of most of the text. */
const HEADING_SIZE = 1.15;
/** Lines further apart than this many times their size do not belong together. */
const PARAGRAPH_GAP = 1.7;
const MAX_HEADING_CHARS = 200;

interface Block {
  text: string;
  readonly size: number;
  last: Line;
}

/** Empty if there is no text. */
export function toHtml(lines: readonly Line[]): string {
  const blocks = blocksOf(lines.filter((line) => line.text.trim()));
  const body = bodySize(lines);
  const sizes = new Set(
    blocks.map((block) => rounded(block.size)).filter((size) => size > body * HEADING_SIZE),
  );
  const larger = [...sizes].sort((a, b) => b - a);
  return blocks
    .map(({ text, size }) => {
      const level = larger.indexOf(rounded(size)) + 1;
      const tag = level > 0 && text.length <= MAX_HEADING_CHARS ? `h${Math.min(level, 6)}` : "p";
      return `<${tag}>${Bun.escapeHTML(text)}</${tag}>`;
    })
    .join("\n");
}

function blocksOf(lines: readonly Line[]): Block[] {
  const blocks: Block[] = [];
  for (const line of lines) {
    const block = blocks.at(-1);
    if (block && belongsTo(block, line)) {
      block.text = joined(block.text, line.text.trim());
      block.last = line;
    } else blocks.push({ text: line.text.trim(), size: line.size, last: line });
  }
  return blocks;
}

function belongsTo({ text, size, last }: Block, line: Line): boolean {
  if (rounded(size) !== rounded(line.size)) return false;
  const gap = last.y - line.y;
  // On the next page or column a paragraph goes on unless its sentence has ended.
  if (line.page !== last.page || gap < 0) return !/[.!?:;…]["'”’)]?$/.test(text);
  return gap <= PARAGRAPH_GAP * Math.max(size, 1);
}

/** A word that was cut at a line's end is whole again. */
function joined(text: string, next: string): string {
  return /\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(next) ? text.slice(0, -1) + next : `${text} ${next}`;
}

/** The size of most of the text. */
function bodySize(lines: readonly Line[]): number {
  const chars = new Map<number, number>();
  for (const { text, size } of lines) chars.set(rounded(size), (chars.get(rounded(size)) ?? 0) + text.length);
  let body = 0;
  for (const [size, count] of chars) if (count > (chars.get(body) ?? 0)) body = size;
  return body;
}

/** To half points: sizes differ in their last digits. */
function rounded(size: number): number {
  return Math.round(size * 2) / 2;
}
