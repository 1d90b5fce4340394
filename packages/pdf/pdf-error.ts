/** Why a PDF gives no text. */
export type PdfErrorCode =
  /** It is no PDF, or its structure is beyond repair. */
  | "broken_pdf"
  /** It opens with a password alone. */
  | "encrypted_pdf"
  /** It has more pages than are read. */
  | "too_many_pages"
  /** Its text is larger than a document may be. */
  | "text_too_large"
  /** It has no text: scanned, most often. */
  | "no_text"
  /** It took more time or memory than a document may: built to, or far too large. */
  | "too_costly";

/** A PDF that cannot be read; the message tells its owner what to do. */
export class PdfError extends Error {
  override name = "PdfError";

  constructor(
    readonly code: PdfErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
