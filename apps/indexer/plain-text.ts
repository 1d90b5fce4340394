/** Plain text: paragraphs between blank lines, no headings. */
import { Outline } from "./outline.ts";

export function parseText(content: string): Outline {
  const outline = new Outline();
  addText(outline, content);
  return outline;
}

/** Adds the paragraphs of `content` to `outline`. */
export function addText(outline: Outline, content: string): void {
  for (const paragraph of content.split(/\n\s*\n/)) outline.add("paragraph", paragraph);
}
