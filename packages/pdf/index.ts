export { PdfError, type PdfErrorCode } from "./pdf-error.ts";
export { type PdfText, type ReadPdfOptions, readPdf } from "./read-pdf.ts";
