/** Plain text: paragraphs between blank lines, no headings. */
import { Outline } from "./outline.ts";

export function parseText(content: string): Outline {
  const outline = new Outline();
  for (const paragraph of content.split(/\n\s*\n/)) outline.add("paragraph", paragraph);
  return outline;
}
