/** Documents in the file: each with its labels, and with its chunks under rows of its tenant. */
import type { Database } from "bun:sqlite";
import { termsOf } from "../chunk-terms.ts";
import type { Chunk, StoredDocument } from "../types.ts";
import { insertChunk } from "./chunks.ts";
import { label } from "./scope.ts";
import { nextRow, tenantKey } from "./tenants.ts";

interface DocumentRow extends Omit<StoredDocument, "metadata"> {
  readonly metadata: string;
}

const DOCUMENTS = `SELECT name AS tenant, id, title, source, digest, metadata
  FROM documents JOIN tenants ON tenants.key = tenant WHERE name = ?`;

export function findDocument(db: Database, tenant: string, id: string): StoredDocument | undefined {
  const row = db.query<DocumentRow, [string, string]>(`${DOCUMENTS} AND id = ?`).get(tenant, id);
  return row ? toDocument(row) : undefined;
}

/** All of a tenant's, in no order. */
export function documentsOf(db: Database, tenant: string): StoredDocument[] {
  return db.query<DocumentRow, [string]>(DOCUMENTS).all(tenant).map(toDocument);
}

/** Takes the document away with all that hangs on it; `false` if there was none. */
export function removeDocument(db: Database, tenant: string, id: string): boolean {
  const remove = db.query(
    "DELETE FROM documents WHERE tenant = (SELECT key FROM tenants WHERE name = ?) AND id = ? RETURNING 1",
  );
  // RETURNING rather than the count of changes, which the triggers' own rows would blur.
  return remove.get(tenant, id) !== null;
}

/** Of a document that is not there. */
export function insertDocument(db: Database, document: StoredDocument, chunks: readonly Chunk[]): void {
  const { id, title, source, digest, metadata } = document;
  const tenant = tenantKey(db, document.tenant);
  const insert = db.query<{ key: number }, (string | number)[]>(
    "INSERT INTO documents (tenant, id, title, source, digest, metadata) VALUES (?, ?, ?, ?, ?, ?) RETURNING key",
  );
  const { key } = insert.get(tenant, id, title, source, digest, JSON.stringify(metadata))!;
  for (const [name, value] of Object.entries(metadata)) {
    db.query("INSERT INTO labels (tenant, name, value, document) VALUES (?, ?, ?, ?)").run(
      tenant,
      name,
      label(value),
      key,
    );
  }
  let row = nextRow(db, tenant);
  const terms = termsOf(chunks);
  for (const [at, chunk] of chunks.entries()) insertChunk(db, row++, key, chunk, terms[at]!);
}

function toDocument({ metadata, ...document }: DocumentRow): StoredDocument {
  return { ...document, metadata: JSON.parse(metadata) };
}
