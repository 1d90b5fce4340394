/** Documents over HTTP: what is uploaded, and what is told of it. */
import { type Static, Type } from "@sinclair/typebox";
import { contract } from "./check.ts";
import { DocumentFormat, Metadata } from "./messages.ts";

/** Largest body of an upload, and largest text of a document, in bytes. */
export const MAX_DOCUMENT_BYTES = 20 * 1024 * 1024;

/** Most pages of a PDF. */
export const MAX_DOCUMENT_PAGES = 2_000;

export const UploadFormat = Type.Union([...DocumentFormat.anyOf, Type.Literal("pdf")], {
  description: "What the content is: markdown, text, html or pdf",
});
export type UploadFormat = Static<typeof UploadFormat>;

const documentId = Type.String({
  minLength: 1,
  maxLength: 512,
  // Control characters in an address or a log are a mistake or an attack.
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description:
    "Unique among the tenant's documents; an upload under an id that is there replaces that document",
});

const about = {
  id: Type.Optional(documentId),
  source: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_048,
      description:
        "Where it came from, a path or an address: shown with every answer. Default: its file's name, or its id",
    }),
  ),
  title: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: "\\S",
      description: "Default: what the content calls itself, then the name of its source",
    }),
  ),
};

export const DocumentUpload = Type.Object(
  {
    ...about,
    format: UploadFormat,
    content: Type.String({ description: "The text itself; of a PDF, its bytes in base64" }),
    metadata: Type.Optional(Metadata),
  },
  {
    additionalProperties: false,
    example: {
      id: "guides/queues",
      title: "Queues",
      format: "markdown",
      content: "# Queues\n\nA queue decouples whoever asks from whoever works.",
      metadata: { lang: "en", year: 2026 },
    },
  },
);
export type DocumentUpload = Static<typeof DocumentUpload>;
export const documentUpload = contract(DocumentUpload);

/** The same as a form: every field is text. */
export const DocumentForm = Type.Object(
  {
    ...about,
    file: Type.String({ format: "binary", description: "The document" }),
    format: Type.Optional({
      ...UploadFormat,
      description: "Default: as the file's name or content type says",
    }),
    metadata: Type.Optional(Type.String({ description: "A JSON object of names and values" })),
  },
  { additionalProperties: false },
);

export const DocumentParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 512, description: "The document's id, percent-encoded" }),
});

export const DocumentAccepted = Type.Object(
  {
    document_id: Type.String(),
    state: Type.Union([Type.Literal("queued"), Type.Literal("deleting")]),
    job_id: Type.String(),
  },
  {
    example: {
      document_id: "guides/queues",
      state: "queued",
      job_id: "0b7f4c52-9a1e-4a35-8a43-31b1d1a3c0de",
    },
  },
);

export const DocumentState = Type.Union(
  [
    Type.Literal("queued"),
    Type.Literal("indexing"),
    Type.Literal("indexed"),
    Type.Literal("failed"),
    Type.Literal("deleting"),
  ],
  {
    description:
      "queued: accepted, nobody works on it. indexing: its chunks are being embedded. indexed: questions find it. " +
      "failed: `error` says why; what was indexed under this id before is still found. deleting: it goes as soon as an indexer is free",
  },
);

export const DocumentStatus = Type.Object(
  {
    document_id: Type.String(),
    state: DocumentState,
    title: Type.Optional(Type.String()),
    source: Type.Optional(Type.String()),
    metadata: Type.Optional(Metadata),
    chunks: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "That questions find now: while it is replaced, the old ones",
      }),
    ),
    progress: Type.Optional(
      Type.Object(
        { done: Type.Integer({ minimum: 0 }), total: Type.Integer({ minimum: 0 }) },
        { description: "Chunks embedded, of all that it has: while it is indexing" },
      ),
    ),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
    job_id: Type.Optional(Type.String({ description: "Of its last upload" })),
    submitted_at: Type.Optional(Type.Number({ description: "When its last upload was accepted, epoch ms" })),
    finished_at: Type.Optional(Type.Number({ description: "When that was indexed or failed, epoch ms" })),
  },
  {
    example: {
      document_id: "guides/queues",
      state: "indexing",
      title: "Queues",
      source: "guides/queues",
      metadata: { lang: "en", year: 2026 },
      progress: { done: 64, total: 210 },
      job_id: "0b7f4c52-9a1e-4a35-8a43-31b1d1a3c0de",
      submitted_at: 1_790_000_000_000,
    },
  },
);
export type DocumentStatus = Static<typeof DocumentStatus>;

export const DocumentsQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 20, description: "Most documents of a page" }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4_096,
      description: "`next_cursor` of the page before; none for the first",
    }),
  ),
});

export const DocumentsPage = Type.Object({
  documents: Type.Array(DocumentStatus, { description: "By id" }),
  next_cursor: Type.Optional(Type.String({ description: "There are more: ask for them with it" })),
});
export type DocumentsPage = Static<typeof DocumentsPage>;

export const PassagesQuery = Type.Object({
  around: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: "`position` of the passage to show in its context" }),
  ),
  radius: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 50, default: 2, description: "Passages before it, and after it" }),
  ),
});

export const DocumentPassages = Type.Object({
  document_id: Type.String(),
  title: Type.String(),
  source: Type.String(),
  passages: Type.Array(
    Type.Object({
      id: Type.String(),
      position: Type.Integer({ minimum: 0, description: "Its place in the document, from 0" }),
      heading_path: Type.Array(Type.String(), { description: "Headings above it, outermost first" }),
      text: Type.String(),
    }),
    { description: "In the document's order; neighbours may repeat a sentence or two of each other" },
  ),
});
export type DocumentPassages = Static<typeof DocumentPassages>;

/**
 * What Redis knows of a document that was uploaded or deleted: a hash, its values text. Written in the same step as
 * the push of its job; a later one replaces it.
 */
export interface DocumentRecord {
  /** The newest job of this document: the only one that may still change it. */
  readonly job_id: string;
  readonly operation: "put" | "delete";
  /** Epoch ms. */
  readonly submitted_at: string;
  readonly source?: string;
  readonly title?: string;
  /** JSON. */
  readonly metadata?: string;
}

/** A stored digest: of the content and how it was cut and embedded, with how many chunks came of it. */
export function storedDigest(digest: string, chunks: number): string {
  return `${digest}:${chunks}`;
}

/** The two parts of a stored digest. */
export function readStoredDigest(stored: string): { digest: string; chunks: number } {
  const [digest = "", chunks] = stored.split(":");
  return { digest, chunks: Number(chunks ?? 0) };
}
