import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { PdfError, readPdf } from "#pdf";
import { bomb, line, lines, pdf } from "../../support/pdf.ts";

setDefaultTimeout(60_000);

const codeOf = async (bytes: Uint8Array, options?: Parameters<typeof readPdf>[1]) => {
  try {
    await readPdf(bytes, options);
    return "read";
  } catch (error) {
    return error instanceof PdfError ? error.code : error;
  }
};

test("a PDF is read with the headings and paragraphs that its layout shows, and its title", async () => {
  const first = lines(
    [24, 0, "Queues"],
    [12, 40, "A queue decouples whoever asks from who-"],
    [12, 14, "ever works <here>."],
    [12, 30, "It has a depth, and goes on"],
  );
  const bytes = pdf({
    title: "All of queues",
    pages: [first, lines([12, 0, "on the next page."], [18, 40, "Depth"])],
  });
  expect(await readPdf(bytes)).toEqual({
    title: "All of queues",
    pages: 2,
    html: [
      "<h1>Queues</h1>",
      "<p>A queue decouples whoever asks from whoever works &lt;here&gt;.</p>",
      "<p>It has a depth, and goes on on the next page.</p>",
      "<h2>Depth</h2>",
    ].join("\n"),
  });
});

describe("a PDF that gives no text is refused by name", () => {
  test("one that is damaged, or none", async () => {
    expect(await codeOf(pdf({ pages: [line("x")] }).subarray(0, 200))).toBe("broken_pdf");
    expect(await codeOf(Buffer.from("%PDF-1.4\nhello"))).toBe("broken_pdf");
  });
  test("one with a password", async () => {
    expect(await codeOf(pdf({ pages: [line("x")], encrypted: true }))).toBe("encrypted_pdf");
  });
  test("one without text", async () => {
    expect(await codeOf(pdf({ pages: ["BT ET"] }))).toBe("no_text");
  });
  test("one with too many pages", async () => {
    expect(await codeOf(pdf({ pages: [line("a"), line("b"), line("c")] }), { max_pages: 2 })).toBe(
      "too_many_pages",
    );
  });
});

test("a decompression bomb ends its reader, and takes no memory from here", async () => {
  const bytes = bomb();
  const before = process.memoryUsage.rss();
  expect(await codeOf(bytes)).toBe("too_costly");
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
});

test("a PDF that takes too long ends its reader", async () => {
  expect(await codeOf(pdf({ pages: [line("x")] }), { timeout_ms: 1 })).toBe("too_costly");
});

test("a reading ends with its caller, and gives way to the next", async () => {
  const caller = new AbortController();
  const bytes = pdf({ pages: [line("x")] });
  const readings = [1, 2, 3].map(() => codeOf(bytes, { signal: caller.signal }));
  caller.abort("gone");
  expect(await Promise.all(readings)).toEqual(["gone", "gone", "gone"]);
  expect(await codeOf(bytes)).toBe("read");
});
