/** Opening a store's file, and saying what is wrong with it. */
import { Database, SQLiteError } from "bun:sqlite";
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../types.ts";
import { migrate } from "./migrations.ts";
import { SCHEMA_VERSION } from "./schema.ts";

/** How long a writer waits for another process's transaction. One document is milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * The file at `path`, ready for use. A writer creates what is missing: folder, file, tables. A reader creates
 * nothing, and gets `undefined` as long as no writer has set the file up.
 * @throws StoreError if the file cannot be opened, is not a store, or is of a newer version; a reader also of an
 *   older one, which only a writer can bring up to date.
 */
export function openDatabase(path: string, readonly: boolean): Database | undefined {
  return explaining(path, "opening", () => {
    if (readonly && !existsSync(path)) return undefined;
    if (!readonly) mkdirSync(dirname(path), { recursive: true });
    const db = new Database(path, readonly ? { readonly, strict: true } : { create: true, strict: true });
    try {
      db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      // With a map, every commit of another process drops it, and the next read faults all pages in again.
      db.run("PRAGMA mmap_size = 0");
      const version = schemaVersion(db, path);
      if (!readonly) setUp(db, path, version);
      else if (version === 0) {
        db.close();
        return undefined;
      } else if (version < SCHEMA_VERSION) {
        throw new StoreError(
          `${path} has schema version ${version}, and is open for reading only: start the indexer, or run \`bun run ingest\`, which brings it to ${SCHEMA_VERSION}`,
        );
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function setUp(db: Database, path: string, version: number): void {
  if (version === 0) {
    db.run("PRAGMA page_size = 8192");
    useWriteAheadLog(db);
  }
  if (version < SCHEMA_VERSION) {
    db.run("PRAGMA foreign_keys = OFF");
    // Two processes may get here at once: the second finds the first one's tables when its turn comes.
    db.transaction(() => migrate(db, schemaVersion(db, path))).immediate();
  }
  // A power cut may undo the last commits, never tear the file; documents can be ingested again.
  db.run("PRAGMA synchronous = NORMAL");
  db.run("PRAGMA foreign_keys = ON");
}

/** Switching a file over is the one thing for which SQLite does not wait by itself while others look at it. */
function useWriteAheadLog(db: Database): void {
  const give_up_at = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      db.run("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      const busy = error instanceof SQLiteError && error.code?.startsWith("SQLITE_BUSY");
      if (!busy || performance.now() > give_up_at) throw error;
      Bun.sleepSync(1 + Math.random() * 10);
    }
  }
}

function schemaVersion(db: Database, path: string): number {
  const row = db
    .query<{ version: number; tables: number }, []>(
      "SELECT user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables FROM pragma_user_version",
    )
    .get();
  const { version, tables } = row ?? { version: 0, tables: 0 };
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      `${path} has schema version ${version}, this program knows ${SCHEMA_VERSION}: update Ragline, or name another file`,
    );
  }
  if (version === 0 && tables > 0) {
    throw new StoreError(`${path} is another program's database: name another file`);
  }
  return version;
}

/** The outcome of `work`; whatever it throws becomes a StoreError that names the file and says what to do. */
export function explaining<T>(path: string, doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const code = error instanceof SQLiteError ? error.code : (error as NodeJS.ErrnoException).code;
    throw new StoreError(`${doing} ${path}: ${advice(code) ?? (error as Error).message}`, { cause: error });
  }
}

function advice(code = ""): string | undefined {
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    return "the file is damaged or is no SQLite database; move it away and ingest the documents again";
  }
  if (/^SQLITE_BUSY/.test(code)) {
    return `another process has kept the file locked for ${BUSY_TIMEOUT_MS} ms; try again`;
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM)|EACCES|EEXIST|ENOTDIR|EROFS)/.test(code)) {
    return "the file or its folder cannot be opened or written; check the path and its permissions";
  }
  if (/^SQLITE_FULL/.test(code)) return "the disk is full; nothing was changed";
  return undefined;
}
