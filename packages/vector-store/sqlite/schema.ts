/** The tables of a store's file. A change to them is a new `SCHEMA_VERSION` and a step from the one before. */
import { EMBEDDING_DIMENSIONS } from "#contracts";

/** Kept in `PRAGMA user_version`; 0 is a file that nobody has set up yet. */
export const SCHEMA_VERSION = 2;

/** Bytes of a stored vector: float32, little-endian. */
export const VECTOR_BYTES = EMBEDDING_DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;

/**
 * Chunks lie under rows that say whose they are (see `tenants.ts`), and so do their vectors and terms, which
 * have the same rows. Vectors have a table of their own, so that reading texts does not drag 1.5 KB a row
 * through the page cache.
 *
 * `labels` is the documents' metadata, to look up by; `documents.metadata` is the same, to read.
 *
 * `terms` is the full-text index over the terms of each chunk (see `chunk-terms.ts`), joined by spaces: the
 * tokenizer `ascii` cuts such text at its spaces alone. It keeps no text of its own, and as a contentless
 * table wants each row deleted by name, which a trigger does.
 *
 * The change log is written by triggers on `vectors`: no writer can forget it, and a chunk comes and goes with its
 * vector. Neither is ever updated in place. Rows are used again after a delete, so a reader looks at what is under a row now.
 */
export const SCHEMA = `
CREATE TABLE state (
  store    TEXT NOT NULL,
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO state (store, revision) VALUES (lower(hex(randomblob(8))), 0);

CREATE TABLE tenants (
  key  INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE documents (
  key      INTEGER PRIMARY KEY,
  tenant   INTEGER NOT NULL REFERENCES tenants,
  id       TEXT NOT NULL,
  title    TEXT NOT NULL,
  source   TEXT NOT NULL,
  digest   TEXT NOT NULL,
  metadata TEXT NOT NULL,
  UNIQUE (tenant, id)
) STRICT;

CREATE TABLE labels (
  tenant   INTEGER NOT NULL,
  name     TEXT NOT NULL,
  value    TEXT NOT NULL,
  document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
  PRIMARY KEY (tenant, name, value, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_of_document ON labels (document);

CREATE TABLE chunks (
  row          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL,
  document     INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
  position     INTEGER NOT NULL,
  tokens       INTEGER NOT NULL,
  title        TEXT NOT NULL,
  heading_path TEXT NOT NULL,
  source       TEXT NOT NULL,
  text         TEXT NOT NULL,
  UNIQUE (document, position)
) STRICT;

CREATE TABLE vectors (
  chunk  INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
  vector BLOB NOT NULL CHECK (length(vector) = ${VECTOR_BYTES})
) STRICT;

CREATE VIRTUAL TABLE terms USING fts5 (title, text, around, content = '', contentless_delete = 1, tokenize = 'ascii');
CREATE TRIGGER forget_terms AFTER DELETE ON chunks BEGIN DELETE FROM terms WHERE rowid = old.row; END;

CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id  INTEGER NOT NULL,
  op  TEXT NOT NULL CHECK (op IN ('put', 'delete'))
) STRICT;
CREATE TRIGGER log_put    AFTER INSERT ON vectors BEGIN INSERT INTO changes (id, op) VALUES (new.chunk, 'put'); END;
CREATE TRIGGER log_delete AFTER DELETE ON vectors BEGIN INSERT INTO changes (id, op) VALUES (old.chunk, 'delete'); END;

PRAGMA user_version = ${SCHEMA_VERSION};
`;
