/** The tables of a store's file. A change to them is a new `SCHEMA_VERSION` and a step from the one before. */
import { EMBEDDING_DIMENSIONS } from "#contracts";

/** Kept in `PRAGMA user_version`; 0 is a file that nobody has set up yet. */
export const SCHEMA_VERSION = 1;

/** Bytes of a stored vector: float32, little-endian. */
export const VECTOR_BYTES = EMBEDDING_DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;

/**
 * Vectors lie in a table of their own, so that reading texts does not drag 1.5 KB a row through the page
 * cache, and under the chunk's integer row, which is also what a full-text index keys on.
 *
 * The change log is written by triggers on `vectors`: no writer can forget it. A vector is never updated in
 * place, only deleted and inserted. Rows are used again after a delete, so a reader takes the log in order.
 */
export const SCHEMA = `
CREATE TABLE documents (
  id     TEXT PRIMARY KEY,
  title  TEXT NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL
) STRICT;

CREATE TABLE chunks (
  row          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  document_id  TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  title        TEXT NOT NULL,
  heading_path TEXT NOT NULL,
  source       TEXT NOT NULL,
  text         TEXT NOT NULL,
  tokens       INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_of_document ON chunks (document_id);

CREATE TABLE vectors (
  chunk  INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
  vector BLOB NOT NULL CHECK (length(vector) = ${VECTOR_BYTES})
) STRICT;

CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id  INTEGER NOT NULL,
  op  TEXT NOT NULL CHECK (op IN ('put', 'delete'))
) STRICT;
CREATE TRIGGER log_put    AFTER INSERT ON vectors BEGIN INSERT INTO changes (id, op) VALUES (new.chunk, 'put'); END;
CREATE TRIGGER log_delete AFTER DELETE ON vectors BEGIN INSERT INTO changes (id, op) VALUES (old.chunk, 'delete'); END;

PRAGMA user_version = ${SCHEMA_VERSION};
`;
