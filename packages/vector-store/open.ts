import { openQdrantStore } from "./qdrant/store.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import type { Fusion, VectorStore } from "./types.ts";

export interface OpenStoreOptions {
  /** Base URL of a Qdrant server; SQLite where it is not given. */
  readonly qdrant_url?: string;
  readonly qdrant_api_key?: string;
  readonly qdrant_collection: string;
  readonly sqlite_path: string;
  /** How a hybrid search ranks. Default: `DEFAULT_FUSION`. */
  readonly fusion?: Fusion;
  /** SQLite alone: never create or write the file. */
  readonly readonly?: boolean;
}

/**
 * Qdrant where `qdrant_url` is given, SQLite at `sqlite_path` otherwise.
 * @throws StoreError if the SQLite file is there and cannot be used. Qdrant is first called by the first operation.
 */
export function openStore(options: OpenStoreOptions): VectorStore {
  return options.qdrant_url
    ? openQdrantStore({
        url: options.qdrant_url,
        api_key: options.qdrant_api_key,
        collection: options.qdrant_collection,
        fusion: options.fusion,
      })
    : openSqliteStore({ path: options.sqlite_path, readonly: options.readonly, fusion: options.fusion });
}
