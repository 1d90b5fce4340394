/** What Ragline asks of a vector store, whichever it is. */

/** What a document says about itself beside its text, to filter by: `{lang: "en", year: 2024}`. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

/** A passage of a document, as it is stored and found. Tenant and metadata are its document's. */
export interface Chunk {
  /** Unique among its tenant's: the document's id, `#`, and the chunk's place in the document from 0. */
  readonly id: string;
  readonly document_id: string;
  readonly title: string;
  /** Headings above the chunk, outermost first; empty for plain text. */
  readonly heading_path: readonly string[];
  /** Where the document came from: a path or an address. */
  readonly source: string;
  readonly text: string;
  /** The chunk's place in its document, from 0. */
  readonly position: number;
  /** Length of `text` in tokens of the embedding model, without special tokens. */
  readonly tokens: number;
  /** Unit length, `EMBEDDING_DIMENSIONS` values. */
  readonly vector: Float32Array;
}

export interface StoredDocument {
  /** Whose it is. Nothing of one tenant is found, read, replaced or deleted in the name of another. */
  readonly tenant: string;
  /** Unique among its tenant's. */
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** Digest of the content and of how it was cut and embedded: equal means nothing to do. */
  readonly digest: string;
  readonly metadata: Metadata;
}

/** All that are given must hold. */
export interface SearchFilter {
  /** Only chunks of these documents: an empty list finds nothing. */
  readonly document_ids?: readonly string[];
  /** Only chunks whose documents' metadata has each of these: a value, or one of several. */
  readonly metadata?: Readonly<
    Record<string, string | number | boolean | readonly (string | number | boolean)[]>
  >;
}

/** How the two sides of a hybrid search become one ranking. */
export type Fusion =
  /** Distribution-based score fusion: each side's scores normalised by mean and three deviations, then added. */
  | { readonly kind: "dbsf"; readonly dense_weight: number; readonly text_weight: number }
  /** Reciprocal rank fusion (Cormack et al., SIGIR 2009): the sum of weight / (k + rank), rank from 1. */
  | { readonly kind: "rrf"; readonly k: number; readonly dense_weight: number; readonly text_weight: number };

export const DEFAULT_FUSION: Fusion = { kind: "dbsf", dense_weight: 1, text_weight: 1 };

/** Candidates that each side brings to the fusion: with 10 a side it loses 0.015 nDCG@10. */
export const CANDIDATES = 200;

export interface SearchRequest {
  /** Whose chunks. A filter narrows it, and cannot widen it. */
  readonly tenant: string;
  /** Both sides fused, or one alone. Default: hybrid. */
  readonly mode?: "hybrid" | "dense" | "text";
  /** Unit length, `EMBEDDING_DIMENSIONS` values. */
  readonly vector: Float32Array;
  /** The question itself, for the search by words. */
  readonly text: string;
  readonly top_k: number;
  readonly filter?: SearchFilter;
}

/** A found chunk, without its vector. */
export interface SearchHit extends Omit<Chunk, "vector"> {
  /** What it is ranked by: the fused score, or that of the one side asked for. Only comparable within one search. */
  readonly score: number;
  /** Cosine to the question, -1 to 1, by whichever side it was found: comparable between searches. */
  readonly cosine: number;
  readonly metadata: Metadata;
}

export interface StoreInfo {
  readonly kind: "sqlite" | "qdrant";
  readonly documents: number;
  readonly chunks: number;
}

/**
 * Every operation rejects with a `StoreError` if the store cannot be reached, refuses, or is closed.
 * Writes are seen by searches of any process that start after they resolve.
 */
export interface VectorStore {
  /**
   * Replaces the document and all its chunks: a search sees the old ones or the new ones, never a mixture or
   * none, even if the writer is killed. Of two writers of one document, one wins whole.
   */
  upsert(document: StoredDocument, chunks: readonly Chunk[]): Promise<void>;
  /** Removes the document and its chunks; `false` if there was none. */
  delete(tenant: string, document_id: string): Promise<boolean>;
  /** The best chunks, best first; ties by id. At most `top_k`. */
  search(request: SearchRequest): Promise<SearchHit[]>;
  /** The document, without its chunks. */
  get(tenant: string, document_id: string): Promise<StoredDocument | undefined>;
  /** A document's chunks from place `from` up to, without, `to`, in order: to show a source in context. */
  passages(tenant: string, document_id: string, from: number, to: number): Promise<Omit<Chunk, "vector">[]>;
  /** All of a tenant's documents by id, in order. */
  documents(tenant: string): Promise<StoredDocument[]>;
  /** Changes with every committed write, of any process: equal means that every search still has the same answer. */
  revision(): Promise<string>;
  info(): Promise<StoreInfo>;
  close(): Promise<void>;
}

/** The store cannot be reached, or refused; `cause` is its own error. */
export class StoreError extends Error {
  override name = "StoreError";
}
