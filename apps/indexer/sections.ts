/** Blocks under the same heading, with small neighbours put together. */
import type { Block } from "./outline.ts";
import type { Measure } from "./pieces.ts";

export interface Section {
  /** Headings above all of it. */
  readonly heading_path: readonly string[];
  readonly blocks: readonly Block[];
}

/** A section up to here says too little to be found alone. */
const SMALL_TOKENS = 48;
/** Sections put together stay well within one chunk. */
const MERGED_TOKENS = 96;

interface Group extends Section {
  tokens: number;
  small: boolean;
  merged: boolean;
}

/**
 * The sections of a document, in order. Small ones side by side under one parent become one section
 * of the parent, in which each one's heading is a line of text.
 */
export function sectionsOf(blocks: readonly Block[], measure: Measure): Section[] {
  const groups: Group[] = [];
  for (const section of byHeading(blocks, measure)) {
    const previous = groups.at(-1);
    const merged = previous && merge(previous, section);
    if (merged) groups[groups.length - 1] = merged;
    else groups.push(section);
  }
  return groups;
}

function byHeading(blocks: readonly Block[], measure: Measure): Group[] {
  const groups: (Group & { blocks: Block[] })[] = [];
  for (const block of blocks) {
    let group = groups.at(-1);
    if (!group || !samePath(group.heading_path, block.heading_path)) {
      group = { heading_path: block.heading_path, blocks: [], tokens: 0, small: true, merged: false };
      groups.push(group);
    }
    group.blocks.push(block);
    group.tokens += measure(block.text);
    group.small = group.tokens <= SMALL_TOKENS;
  }
  return groups;
}

/** Both as one, or nothing if they do not belong together. */
function merge(previous: Group, next: Group): Group | undefined {
  const tokens = previous.tokens + next.tokens;
  if (!previous.small || !next.small || tokens > MERGED_TOKENS || next.heading_path.length === 0) return;

  const parent = next.heading_path.slice(0, -1);
  const underPrevious = samePath(previous.heading_path, parent);
  const siblings =
    !previous.merged &&
    previous.heading_path.length === next.heading_path.length &&
    samePath(previous.heading_path.slice(0, -1), parent);
  if (!underPrevious && !siblings) return;

  const blocks = [
    ...(siblings ? withHeading(previous, parent) : previous.blocks),
    ...withHeading(next, parent),
  ];
  return { heading_path: parent, blocks, tokens, small: true, merged: true };
}

function withHeading(section: Section, heading_path: readonly string[]): Block[] {
  const heading = section.heading_path.at(-1) ?? "";
  return [{ heading_path, kind: "paragraph", text: heading }, ...section.blocks];
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((heading, at) => heading === b[at]);
}
