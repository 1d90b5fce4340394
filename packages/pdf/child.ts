/** The process that reads one PDF: the file on stdin, an `Order` as its argument, a line of `Printed` on stdout. */
import { setPriority } from "node:os";
import { extract } from "./extract.ts";
import { PdfError } from "./pdf-error.ts";
import type { Order, Printed } from "./read-pdf.ts";

const LOW_PRIORITY = 10;

const order: Order = JSON.parse(process.argv[2]!);
setPriority(LOW_PRIORITY);
const guard = new Worker(new URL("./memory-guard.ts", import.meta.url));
await new Promise((resolve) => {
  guard.onmessage = resolve;
  guard.postMessage(order.memory_bytes);
});
// The library reports on it, and stdout is for the answer alone.
console.log = console.warn = () => {};

let printed: Printed;
try {
  printed = { kind: "text", ...(await extract(new Uint8Array(await Bun.stdin.arrayBuffer()), order)) };
} catch (error) {
  const { code, message } =
    error instanceof PdfError
      ? error
      : new PdfError("broken_pdf", "the file is damaged, or no PDF: save it anew and try again");
  printed = { kind: "error", code, message };
}
await Bun.write(Bun.stdout, JSON.stringify(printed));
process.exit(0);
