export { type OpenStoreOptions, openStore } from "./open.ts";
export { openQdrantStore, type QdrantStoreOptions } from "./qdrant/store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite/store.ts";
export * from "./types.ts";
