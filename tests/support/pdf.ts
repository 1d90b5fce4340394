/** Small PDFs, by hand. */
import { deflateSync } from "node:zlib";

export interface PdfOptions {
  /** Content of each page, in PDF's operators. */
  readonly pages: readonly string[];
  readonly title?: string;
  /** In place of the first page's content: compressed bytes. */
  readonly flate?: Uint8Array;
  /** Claims to be encrypted with a password that is not empty. */
  readonly encrypted?: boolean;
}

/** Lines of text from the top, `[size, gap to the line before, text]`, as operators. */
export function lines(...all: readonly [size: number, gap: number, text: string][]): string {
  const shown = all.map(([size, gap, text]) => `/F1 ${size} Tf 0 ${-gap} Td (${text}) Tj`);
  return `BT 72 760 Td ${shown.join(" ")} ET`;
}

/** Operators that show one line. */
export function line(text: string): string {
  return lines([12, 20, text]);
}

export function pdf({ pages, title, flate, encrypted }: PdfOptions): Buffer {
  const objects: Buffer[] = [];
  const add = (...parts: (string | Uint8Array)[]) =>
    objects.push(Buffer.concat(parts.map((part) => Buffer.from(part))));
  const kids = pages.map((_, i) => `${4 + 2 * i} 0 R`).join(" ");
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(`<< /Type /Pages /Count ${pages.length} /Kids [${kids}] >>`);
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
  pages.forEach((page, i) => {
    const content = i === 0 && flate ? flate : deflateSync(Buffer.from(page));
    add(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ",
      `/Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * i} 0 R >>`,
    );
    add(`<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n`, content, "\nendstream");
  });
  let trailer = `/Size ${objects.length + 2} /Root 1 0 R`;
  if (title) trailer += ` /Info ${add(`<< /Title (${title}) >>`)} 0 R`;
  if (encrypted) {
    const hash = "00".repeat(32);
    const filter = add(`<< /Filter /Standard /V 1 /R 2 /O <${hash}> /U <${hash}> /P -4 >>`);
    trailer += ` /Encrypt ${filter} 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`;
  }

  const parts = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let length = parts[0]!.length;
  objects.forEach((object, i) => {
    offsets.push(length);
    const part = Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), object, Buffer.from("\nendobj\n")]);
    parts.push(part);
    length += part.length;
  });
  const entries = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}trailer << ${trailer} >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** A PDF of two megabytes whose one page is 400 of blanks. */
export function bomb(): Buffer {
  return pdf({ pages: [""], flate: deflateSync(Buffer.alloc(400 * 2 ** 20, " "), { level: 1 }) });
}
