/** The embedded store: one SQLite file, searched in mirrors of its full-text index and of its vectors. */
import type { Database } from "bun:sqlite";
import { acceptDocument, acceptVector } from "../accept.ts";
import { fuse } from "../fusion.ts";
import { byId } from "../order.ts";
import {
  CANDIDATES,
  type Chunk,
  DEFAULT_FUSION,
  type Fusion,
  type SearchHit,
  type SearchRequest,
  type StoredDocument,
  StoreError,
  type StoreInfo,
  type VectorStore,
} from "../types.ts";
import { pruneChanges } from "./change-log.ts";
import { chunksBetween, hitsOf } from "./chunks.ts";
import { explaining, openDatabase } from "./database.ts";
import { documentsOf, findDocument, insertDocument, removeDocument } from "./documents.ts";
import { ranked } from "./ranking.ts";
import { loadVectorScan } from "./scan/vector-scan.ts";
import { scopeOf } from "./scope.ts";
import { TermMirror } from "./term-mirror.ts";
import { searchTerms } from "./term-search.ts";
import { VectorMirror } from "./vector-mirror.ts";
import { searchVectors } from "./vector-search.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  /**
   * Never create or write anything: for processes that only search. A file that is not there yet reads as an
   * empty store until a writer has made it. Off by default: folder, file and tables are created.
   */
  readonly readonly?: boolean;
  /** How a hybrid search ranks. Default: `DEFAULT_FUSION`. */
  readonly fusion?: Fusion;
}

/**
 * A store in the file at `path`. Any number of processes may have it open; writers take turns, and a search
 * waits for nobody.
 * @throws StoreError if the file cannot be opened, is not a store, or is of a newer version.
 */
export function openSqliteStore(options: SqliteStoreOptions): VectorStore {
  return new SqliteStore(options);
}

class SqliteStore implements VectorStore {
  readonly path: string;
  readonly readonly: boolean;
  readonly fusion: Fusion;
  #db: Database | undefined;
  /** There from the first search by meaning on. */
  #mirror: VectorMirror | undefined;
  /** Empty until the first search by words. */
  #terms = new TermMirror();
  #closed = false;

  constructor({ path, readonly = false, fusion = DEFAULT_FUSION }: SqliteStoreOptions) {
    this.path = path;
    this.readonly = readonly;
    this.fusion = fusion;
    this.#db = openDatabase(path, readonly);
  }

  async upsert(document: StoredDocument, chunks: readonly Chunk[]): Promise<void> {
    acceptDocument(document, chunks);
    this.#write("writing a document to", (db) => {
      removeDocument(db, document.tenant, document.id);
      insertDocument(db, document, chunks);
    });
  }

  async delete(tenant: string, document_id: string): Promise<boolean> {
    return this.#write("deleting a document from", (db) => removeDocument(db, tenant, document_id));
  }

  async search(request: SearchRequest): Promise<SearchHit[]> {
    const { tenant, mode = "hybrid", vector, text, top_k, filter } = request;
    acceptVector(vector, "the question");
    const scan = await loadVectorScan();
    this.#mirror ??= new VectorMirror(scan);
    const mirror = this.#mirror;
    return this.#read("searching", [], (db) => {
      const scope = scopeOf(db, tenant, filter);
      if (!scope) return [];
      const limit = Math.max(CANDIDATES, top_k);
      const dense = () => searchVectors(db, mirror, vector, scope, limit);
      const words = () => searchTerms(db, this.#terms, text, scope, limit);
      const found =
        mode === "dense" ? dense() : mode === "text" ? words() : fuse(dense(), words(), this.fusion);
      return hitsOf(db, ranked(db, found, top_k), vector);
    });
  }

  async get(tenant: string, document_id: string): Promise<StoredDocument | undefined> {
    return this.#read("reading a document from", undefined, (db) => findDocument(db, tenant, document_id));
  }

  async passages(tenant: string, document_id: string, from: number, to: number) {
    return this.#read("reading passages from", [], (db) => chunksBetween(db, tenant, document_id, from, to));
  }

  async documents(tenant: string): Promise<StoredDocument[]> {
    return this.#read("listing the documents of", [], (db) => documentsOf(db, tenant).sort(byId));
  }

  async revision(): Promise<string> {
    return this.#read("reading the revision of", "none", (db) => {
      const state = db.query<{ revision: string }, []>(
        "SELECT store || '-' || revision AS revision FROM state",
      );
      return state.get()!.revision;
    });
  }

  async info(): Promise<StoreInfo> {
    const empty: StoreInfo = { kind: "sqlite", documents: 0, chunks: 0 };
    return this.#read("counting what is in", empty, (db) => {
      const counts = db
        .query<Omit<StoreInfo, "kind">, []>(
          "SELECT (SELECT count(*) FROM documents) AS documents, (SELECT count(*) FROM chunks) AS chunks",
        )
        .get();
      return { ...empty, ...counts };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#db?.close();
    this.#db = undefined;
    this.#mirror = undefined;
    this.#terms = new TermMirror();
  }

  /** One commit's state for all of `work`; `empty` while the file is not there yet. */
  #read<T>(doing: string, empty: T, work: (db: Database) => T): T {
    const db = this.#open();
    if (!db) return empty;
    return explaining(this.path, doing, () => db.transaction(work).deferred(db));
  }

  /** All of `work` or nothing of it. IMMEDIATE: waits its turn at once, where an upgrade midway would fail. */
  #write<T>(doing: string, work: (db: Database) => T): T {
    if (this.readonly) throw new StoreError(`${doing} ${this.path}: the store was opened for reading only`);
    const db = this.#open()!;
    return explaining(this.path, doing, () => {
      const written = db.transaction(() => {
        const result = work(db);
        // Not if nothing was there to delete.
        if (result !== false) db.query("UPDATE state SET revision = revision + 1").run();
        pruneChanges(db);
        return result;
      });
      const result = written.immediate();
      this.#mirror?.committed();
      this.#terms.committed();
      return result;
    });
  }

  #open(): Database | undefined {
    if (this.#closed) throw new StoreError(`the store at ${this.path} is closed`);
    this.#db ??= openDatabase(this.path, this.readonly);
    return this.#db;
  }
}
