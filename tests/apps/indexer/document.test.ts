import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { DocumentFormat } from "#contracts";
import { parseDocument } from "../../../apps/indexer/document.ts";

const parse = (format: DocumentFormat, content: string, source = "docs/load-balancing.md") =>
  parseDocument({ id: source, source, format, content });
const title = (...from: Parameters<typeof parse>) => parse(...from).title;
/** Blocks as `path / path [kind] text`. */
const blocks = (format: DocumentFormat, content: string) =>
  parse(format, content).blocks.map(
    ({ heading_path, kind, text }) =>
      `${heading_path.map((heading) => `${heading} / `).join("")}[${kind}] ${text}`,
  );

describe("a title", () => {
  test("is the front matter's before the first h1", () => {
    expect(title("markdown", '---\ntitle: "Queues: a primer"\ntags: [a]\n---\n# Other\n\nx')).toBe(
      "Queues: a primer",
    );
  });
  test("is the first h1's where there is no front matter, or none that gives one", () => {
    expect(title("markdown", "---\ntags: [a]\n---\n## Before\n\n# The *title*\n\n# Another")).toBe(
      "The title",
    );
  });
  test("is the first h1's before the title element's", () => {
    expect(title("html", "<title>Site &amp; page</title><h2>x</h2><h1>Page</h1>")).toBe("Page");
    expect(title("html", "<head><title>Site &amp;\n page</title></head><p>x")).toBe("Site & page");
  });
  test("is the name of the file or page where the document has none", () => {
    expect(title("text", "Some text.", "/docs/load-balancing_notes.v2.txt")).toBe("load balancing notes.v2");
    expect(title("html", "<p>x", "https://example.org/guides/caching/?page=2#top")).toBe("caching");
    expect(title("text", "x", ".txt")).toBe(".txt");
    expect(title("text", "x", "/")).toBe("/");
  });
  test("is not once more the outermost heading of what stands under it", () => {
    expect(blocks("markdown", "# Title\n\na\n\n## Part\n\nb")).toEqual([
      "[paragraph] a",
      "Part / [paragraph] b",
    ]);
  });
});

describe("Markdown", () => {
  test("becomes text without markup, white space folded", () => {
    const text =
      'Some *emphasis*, **strong\n`code`**, [a link](https://example.org "t"), ![a picture](x.png) &amp; <b>HTML</b>.';
    expect(blocks("markdown", text)).toEqual([
      "[paragraph] Some emphasis, strong code, a link, a picture & HTML.",
    ]);
  });
  test("keeps the headings above each block", () => {
    expect(blocks("markdown", "## A\n\na\n\n#### Deep\n\nd\n\n### B\n\nb\n\n## C\n\nc")).toEqual([
      "A / [paragraph] a",
      "A / Deep / [paragraph] d",
      "A / B / [paragraph] b",
      "C / [paragraph] c",
    ]);
  });
  test("keeps white space in code alone", () => {
    expect(blocks("markdown", "```ts\n\n  if (x) {\n    y();\n  }\n```\n\n    indented\n      more")).toEqual(
      ["[code]   if (x) {\n    y();\n  }", "[code] indented\n  more"],
    );
  });
  test("has one line for each item of a list, and code in it as code", () => {
    const list = "- one\n  goes on\n- [x] two\n  1. inner\n\n     ```\n     a  b\n     ```\n- three";
    expect(blocks("markdown", list)).toEqual([
      "[list] one goes on\ntwo\ninner",
      "[code] a  b",
      "[list] three",
    ]);
  });
  test("has one line for each row of a table", () => {
    expect(blocks("markdown", "Sizes:\n| name | **size** |\n| --- | :-: |\n| a | 1 |\n| `b` | |")).toEqual([
      "[paragraph] Sizes:",
      "[table] name | size\na | 1\nb",
    ]);
  });
  test("takes a quotation for what is in it, and HTML for what it shows", () => {
    expect(
      blocks(
        "markdown",
        "> ## Q\n> said\n\n<details><summary>More</summary>\n<p>x&lt;y</p></details>\n\n<!-- no -->",
      ),
    ).toEqual(["Q / [paragraph] said", "Q / [paragraph] More", "Q / [paragraph] x<y"]);
  });
  test("may begin with a rule that is no front matter", () => {
    expect(blocks("markdown", "---\n\nText: [unclosed\n\n---\n\nmore")).toEqual([
      "[paragraph] Text: [unclosed",
      "[paragraph] more",
    ]);
  });
  test("reads the same with Windows line ends", () => {
    const text = "---\ntitle: T\n---\n# H\n\na\nb\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx\ny\n```\n";
    expect(parse("markdown", text.replaceAll("\n", "\r\n"))).toEqual(parse("markdown", text));
  });
});

describe("HTML", () => {
  test("becomes what a reader sees, entities decoded", () => {
    const page = `<!doctype html><html><head><title>T</title><style>p { x: y }</style></head>
      <body><nav><a href="/">Home</a></nav><script>if (a < b) x("</p>")</script>
      <h1>Caf&eacute; &#x1F600;</h1><p>One <b>bold</b> wo<i>rd</i>,<br>next&nbsp;line.<p>Two<template>no</template>
      <div>Three <img src=x alt="a picture"></div><blockquote>Said</blockquote></body></html>`;
    expect(parse("html", page).title).toBe("Café 😀");
    expect(blocks("html", page)).toEqual([
      "[paragraph] One bold word, next line.",
      "[paragraph] Two",
      "[paragraph] Three a picture",
      "[paragraph] Said",
    ]);
  });
  test("keeps the headings above each block", () => {
    expect(
      blocks("html", "<section><h2>A <small>b</small></h2>text<h3>C</h3><p>c</p></section><h2>D</h2><p>d"),
    ).toEqual(["A b / [paragraph] text", "A b / C / [paragraph] c", "D / [paragraph] d"]);
  });
  test("has lines for items and rows, and code as it is", () => {
    const page =
      "<ul><li>one<li><p>two</p><ol><li>inner</ol></ul><table><thead><tr><th>a</th><th>b</th></tr></thead>" +
      "<tr><td>1</td><td><ul><li>x</li></ul></td></tr></table><pre><code>\n  a &lt; b\n    c</code></pre>";
    expect(blocks("html", page)).toEqual([
      "[list] one\ntwo\ninner",
      "[table] a | b\n1 | x",
      "[code]   a < b\n    c",
    ]);
  });
  test("may be a page laid out with tables", () => {
    expect(
      blocks("html", "<table><tr><td>menu</td><td><h2>A</h2><p>a</p><pre>x  y</pre></td></tr></table>after"),
    ).toEqual(["[table] menu", "A / [table] a", "A / [code] x  y", "A / [paragraph] after"]);
  });
  test("may be broken", () => {
    expect(
      blocks("html", "</p></div></ul></table></pre></tr><p>a<ul><li>b<table><td>c<pre>d &unknown; <h2"),
    ).toEqual(["[paragraph] a", "[list] b", "[table] c", "[code] d &unknown;"]);
  });
});

test("plain text has its paragraphs between blank lines", () => {
  expect(blocks("text", "\n\none\n  two\n \t\n\nthree # *not markup*\r\n\r\nfour")).toEqual([
    "[paragraph] one two",
    "[paragraph] three # *not markup*",
    "[paragraph] four",
  ]);
});

test("a heading with nothing under it is text", () => {
  expect(blocks("markdown", "# T\n\n## A\n\n## B\n\n### C\n\n## D\n\nd")).toEqual([
    "[paragraph] A",
    "B / [paragraph] C",
    "D / [paragraph] d",
  ]);
  expect(blocks("markdown", "# Only a title")).toEqual(["[paragraph] Only a title"]);
});

test("a heading as long as a paragraph is one", () => {
  const long = "word ".repeat(60).trim();
  expect(blocks("markdown", `## A\n\n# ${long}\n\nb`)).toEqual([
    `A / [paragraph] ${long}`,
    "A / [paragraph] b",
  ]);
});

test("nothing in, nothing out", () => {
  for (const format of ["markdown", "html", "text"] as const) {
    expect(parse(format, "").blocks).toEqual([]);
    expect(parse(format, " \n\t\r\n ").blocks).toEqual([]);
  }
});

test("any content gives clean blocks", () => {
  const markup = fc.constantFrom(
    "# ",
    "\n",
    "\n\n",
    "- ",
    "> ",
    "```",
    "|",
    "---",
    "<p>",
    "</p>",
    "<pre>",
    "<td>",
    "*",
    "\0",
    "\ud800",
  );
  const content = fc.array(fc.oneof(markup, fc.string({ unit: "binary" }))).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.constantFrom("markdown", "html", "text"), content, (format, text) => {
      const parsed = parse(format as DocumentFormat, text);
      expect(parsed.title.trim()).not.toBe("");
      for (const block of parsed.blocks) {
        expect(block.text.trim()).not.toBe("");
        expect(block.text.isWellFormed()).toBe(true);
        expect(block.text).not.toContain("\0");
        if (block.kind !== "code") expect(block.text).not.toMatch(/[^\S\n]{2}|\n\n/);
      }
    }),
  );
});

test("Markdown that is nested beyond all use is read as plain text, and at once", () => {
  const lists = Array.from({ length: 1_000 }, (_, level) => `${"  ".repeat(level)}- item ${level}`).join(
    "\n",
  );
  for (const content of [lists, `${"> ".repeat(1_000)}said`, `${"- ".repeat(1_000)}said`]) {
    const started = performance.now();
    const read = parse("markdown", `# T\n\n${content}`).blocks;
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(read.at(-1)?.text).toContain(content.split(" ").at(-1)!);
  }
});
