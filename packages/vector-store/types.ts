/** What Ragline asks of a vector store, whichever it is. */

/** A passage of a document, as it is stored and found. */
export interface Chunk {
  /** Unique in the store: the document's id, `#`, and the chunk's place in the document from 0. */
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
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** Digest of the content and of how it was cut and embedded: equal means nothing to do. */
  readonly digest: string;
}

export interface SearchRequest {
  /** Unit length, `EMBEDDING_DIMENSIONS` values. */
  readonly vector: Float32Array;
  /** The question itself, for stores that also search by words. */
  readonly text: string;
  readonly top_k: number;
  /** Only chunks of these documents, where given: an empty list finds nothing. */
  readonly filter?: { readonly document_ids?: readonly string[] };
}

/** A found chunk, without its vector. `score` is the cosine to the question: -1 to 1. */
export interface SearchHit extends Omit<Chunk, "vector"> {
  readonly score: number;
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
  delete(document_id: string): Promise<boolean>;
  /** The nearest chunks, best first; ties by id. At most `top_k`. */
  search(request: SearchRequest): Promise<SearchHit[]>;
  /** The document, without its chunks. */
  get(document_id: string): Promise<StoredDocument | undefined>;
  /** All documents by id, in order. */
  documents(): Promise<StoredDocument[]>;
  info(): Promise<StoreInfo>;
  close(): Promise<void>;
}

/** The store cannot be reached, or refused; `cause` is its own error. */
export class StoreError extends Error {
  override name = "StoreError";
}
