/** CommonMark with YAML front matter and GitHub's tables; HTML in it is read as HTML. */
import { fromMarkdown } from "mdast-util-from-markdown";
import { readHtml } from "./html.ts";
import { fold, Outline } from "./outline.ts";
import { addText } from "./plain-text.ts";

type Root = ReturnType<typeof fromMarkdown>;
type Node = Root["children"][number];

export function parseMarkdown(content: string): Outline {
  const outline = new Outline();
  const { title, body } = splitFrontMatter(content);
  if (title) outline.offerTitle("declared", title);
  // The parser's time grows with the cube of the nesting, and its stack with it: 300 lists in lists take seconds.
  if (nestsDeeperThan(MAX_NESTING, body)) addText(outline, body);
  else for (const node of fromMarkdown(body).children) addBlock(outline, node);
  return outline;
}

/** Lists and quotations in each other: far deeper than anybody writes. Beyond it, Markdown is read as plain text. */
const MAX_NESTING = 50;

/** Whether some line may stand so deep: by its indentation, two columns a level at least, and its markers. */
function nestsDeeperThan(limit: number, body: string): boolean {
  for (const [line, indent = "", markers = ""] of body.matchAll(CONTAINERS)) {
    if (line.length <= limit) continue;
    const columns = indent.replaceAll("\t", "    ").length;
    if (columns / 2 + (markers.match(MARKER)?.length ?? 0) > limit) return true;
  }
  return false;
}

const CONTAINERS = /^([ \t]*)((?:>[ \t]*|(?:[-+*]|\d{1,9}[.)])[ \t]+)*)/gm;
const MARKER = /[-+*>]|\d+[.)]/g;

function addBlock(outline: Outline, node: Node): void {
  switch (node.type) {
    case "heading":
      outline.heading(node.depth, inlineText(node));
      break;
    case "paragraph":
      addParagraph(outline, inlineText(node));
      break;
    case "code":
      outline.add("code", node.value);
      break;
    case "list":
      addList(outline, node);
      break;
    case "blockquote":
      for (const child of node.children) addBlock(outline, child);
      break;
    case "html":
      readHtml(outline, node.value);
      break;
  }
}

/** The text of inline content; line ends stay, since a table's rows are told by them. */
function inlineText(node: Node): string {
  switch (node.type) {
    case "break":
      return "\n";
    case "image":
    case "imageReference":
      return node.alt ?? "";
    case "html":
      return /^<br\b/i.test(node.value) ? "\n" : "";
  }
  if ("children" in node) return node.children.map(inlineText).join("");
  return "value" in node ? node.value : "";
}

/** One line an item, inner lists after their own; markers go, the order says enough. Code stays code. */
function addList(outline: Outline, list: Node): void {
  let lines: string[] = [];
  const endLines = () => {
    outline.add("list", lines.join("\n"));
    lines = [];
  };
  const visit = (node: Node): void => {
    switch (node.type) {
      case "list":
      case "listItem":
      case "blockquote":
        node.children.forEach(visit);
        break;
      case "code":
      case "html":
        endLines();
        addBlock(outline, node);
        break;
      default:
        lines.push(fold(inlineText(node).replace(/^\[[ xX]\]\s/, "")));
    }
  };
  visit(list);
  endLines();
}

const DELIMITER_ROW = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** CommonMark takes a GitHub table for a paragraph, whose second or later line is `--- | ---`. */
function addParagraph(outline: Outline, text: string): void {
  const lines = text.split("\n");
  const delimiter = lines.findIndex(
    (line, at) => at > 0 && line.includes("|") && DELIMITER_ROW.test(line) && lines[at - 1]?.includes("|"),
  );
  if (delimiter < 0) {
    outline.add("paragraph", text);
    return;
  }
  outline.add("paragraph", lines.slice(0, delimiter - 1).join("\n"));
  const rows = lines.slice(delimiter - 1).filter((_, at) => at !== 1);
  outline.add("table", rows.map(cells).join("\n"));
}

function cells(row: string): string {
  return row
    .split("|")
    .map((cell) => cell.trim())
    .filter(Boolean)
    .join(" | ");
}

function splitFrontMatter(content: string): { title?: string; body: string } {
  const match = /^---[^\S\n]*\n([\s\S]*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)/.exec(content);
  if (!match?.[1]) return { body: content };
  let fields: unknown;
  try {
    fields = Bun.YAML.parse(match[1]);
  } catch {
    return { body: content }; // two rules and what stands between them, rather than front matter
  }
  if (typeof fields !== "object" || fields === null) return { body: content };
  const title = "title" in fields && typeof fields.title === "string" ? fields.title : undefined;
  return { title, body: content.slice(match[0].length) };
}
