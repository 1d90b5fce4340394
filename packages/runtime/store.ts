import { join } from "node:path";
import { type Fusion, openStore, StoreError, type VectorStore } from "#vector-store";

export interface StoreConfig {
  readonly DATA_DIR: string;
  readonly QDRANT_URL?: string;
  readonly QDRANT_API_KEY?: string;
  readonly QDRANT_COLLECTION: string;
  readonly FUSION: "dbsf" | "rrf";
  readonly RRF_K: number;
  readonly FUSION_DENSE_WEIGHT: number;
  readonly FUSION_TEXT_WEIGHT: number;
}

/** The SQLite store's file in a data folder. */
export function sqlitePath(data_dir: string): string {
  return join(data_dir, "ragline.sqlite");
}

/**
 * The store that the settings name: Qdrant where there is an address of one, else the SQLite file in `DATA_DIR`.
 * @throws StoreError if the file is there and cannot be used.
 */
export function openConfiguredStore(config: StoreConfig, readonly = false): VectorStore {
  return openStore({
    qdrant_url: config.QDRANT_URL,
    qdrant_api_key: config.QDRANT_API_KEY,
    qdrant_collection: config.QDRANT_COLLECTION,
    sqlite_path: sqlitePath(config.DATA_DIR),
    fusion: fusionOf(config),
    readonly,
  });
}

/**
 * The same, for a program whose start cannot do without it: where it cannot be opened, one line on stderr says what to
 * do, and the exit code is 1.
 */
export function openStoreOrExit(config: StoreConfig, readonly = false): VectorStore {
  try {
    return openConfiguredStore(config, readonly);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

function fusionOf({ FUSION, RRF_K, FUSION_DENSE_WEIGHT, FUSION_TEXT_WEIGHT }: StoreConfig): Fusion {
  const weights = { dense_weight: FUSION_DENSE_WEIGHT, text_weight: FUSION_TEXT_WEIGHT };
  return FUSION === "rrf" ? { kind: FUSION, k: RRF_K, ...weights } : { kind: FUSION, ...weights };
}
