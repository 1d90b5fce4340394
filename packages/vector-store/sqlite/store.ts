/** The embedded store: one SQLite file, its vectors mirrored in memory and scanned exactly. */
import type { Database } from "bun:sqlite";
import { acceptDocument, acceptVector } from "../accept.ts";
import { bestFirst, byId } from "../order.ts";
import {
  type Chunk,
  type SearchHit,
  type SearchRequest,
  type StoredDocument,
  StoreError,
  type StoreInfo,
  type VectorStore,
} from "../types.ts";
import { pruneChanges } from "./change-log.ts";
import { explaining, openDatabase } from "./database.ts";
import { VectorMirror } from "./vector-mirror.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  /**
   * Never create or write anything: for processes that only search. A file that is not there yet reads as an
   * empty store until a writer has made it. Off by default: folder, file and tables are created.
   */
  readonly readonly?: boolean;
}

/**
 * A store in the file at `path`. Any number of processes may have it open; writers take turns, and a search
 * waits for nobody.
 * @throws StoreError if the file cannot be opened, is not a store, or is of a newer version.
 */
export function openSqliteStore({ path, readonly = false }: SqliteStoreOptions): VectorStore {
  return new SqliteStore(path, readonly);
}

interface ChunkRow extends Omit<SearchHit, "heading_path" | "score"> {
  readonly row: number;
  readonly heading_path: string;
}

class SqliteStore implements VectorStore {
  #db: Database | undefined;
  #mirror = new VectorMirror();
  #closed = false;

  constructor(
    readonly path: string,
    readonly readonly: boolean,
  ) {
    this.#db = openDatabase(path, readonly);
  }

  async upsert(document: StoredDocument, chunks: readonly Chunk[]): Promise<void> {
    acceptDocument(document, chunks);
    this.#write("writing a document to", (db) => {
      const { id, title, source, digest } = document;
      db.query("DELETE FROM documents WHERE id = ?").run(id);
      db.query("INSERT INTO documents (id, title, source, digest) VALUES (?, ?, ?, ?)").run(
        id,
        title,
        source,
        digest,
      );
      for (const chunk of chunks) insertChunk(db, chunk);
    });
  }

  async delete(document_id: string): Promise<boolean> {
    return this.#write("deleting a document from", (db) => {
      // RETURNING rather than the count of changes, which the triggers' own rows would blur.
      return db.query("DELETE FROM documents WHERE id = ? RETURNING 1").get(document_id) !== null;
    });
  }

  async search({ vector, top_k, filter }: SearchRequest): Promise<SearchHit[]> {
    acceptVector(vector, "the question");
    return this.#read("searching", [], (db) => {
      this.#mirror.follow(db);
      const among = filter?.document_ids && rowsOf(db, filter.document_ids);
      const scores = new Map(
        this.#mirror.vectors.nearest(vector, top_k, among).map(({ row, score }) => [row, score]),
      );
      return chunkRows(db, [...scores.keys()])
        .map(({ row, heading_path, ...chunk }) => ({
          ...chunk,
          heading_path: JSON.parse(heading_path),
          score: scores.get(row)!,
        }))
        .sort(bestFirst)
        .slice(0, top_k);
    });
  }

  async get(document_id: string): Promise<StoredDocument | undefined> {
    return this.#read("reading a document from", undefined, (db) => {
      const find = db.query<StoredDocument, [string]>(
        "SELECT id, title, source, digest FROM documents WHERE id = ?",
      );
      return find.get(document_id) ?? undefined;
    });
  }

  async documents(): Promise<StoredDocument[]> {
    return this.#read("listing the documents of", [], (db) =>
      db.query<StoredDocument, []>("SELECT id, title, source, digest FROM documents").all().sort(byId),
    );
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
    this.#mirror.vectors.clear();
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
        pruneChanges(db);
        return result;
      });
      const result = written.immediate();
      this.#mirror.committed();
      return result;
    });
  }

  #open(): Database | undefined {
    if (this.#closed) throw new StoreError(`the store at ${this.path} is closed`);
    this.#db ??= openDatabase(this.path, this.readonly);
    return this.#db;
  }
}

function insertChunk(db: Database, chunk: Chunk): void {
  const { lastInsertRowid } = db
    .query(
      "INSERT INTO chunks (id, document_id, position, title, heading_path, source, text, tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .run(
      chunk.id,
      chunk.document_id,
      chunk.position,
      chunk.title,
      JSON.stringify(chunk.heading_path),
      chunk.source,
      chunk.text,
      chunk.tokens,
    );
  const { buffer, byteOffset, byteLength } = chunk.vector;
  db.query("INSERT INTO vectors (chunk, vector) VALUES (?, ?)").run(
    lastInsertRowid,
    new Uint8Array(buffer, byteOffset, byteLength),
  );
}

function rowsOf(db: Database, document_ids: readonly string[]): number[] {
  return db
    .query<{ row: number }, [string]>(
      "SELECT row FROM chunks WHERE document_id IN (SELECT value FROM json_each(?))",
    )
    .all(JSON.stringify(document_ids))
    .map(({ row }) => row);
}

function chunkRows(db: Database, rows: readonly number[]): ChunkRow[] {
  return db
    .query<ChunkRow, [string]>(
      `SELECT row, chunks.id, document_id, position, title, heading_path, source, text, tokens
         FROM json_each(?) AS wanted JOIN chunks ON row = wanted.value`,
    )
    .all(JSON.stringify(rows));
}
