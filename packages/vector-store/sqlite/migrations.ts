/**
 * Steps from one version of the schema to the next, within one transaction of a writer's, with foreign keys off.
 */
import type { Database } from "bun:sqlite";
import { DEFAULT_TENANT } from "#contracts";
import { termsOf } from "../chunk-terms.ts";
import { SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import { tenantKey } from "./tenants.ts";
import { indexTerms } from "./terms.ts";

const STEPS: Readonly<Record<number, (db: Database) => void>> = { 1: tenantsAndTerms };

/** Brings a file of `version` to `SCHEMA_VERSION`; version 0 is an empty one. */
export function migrate(db: Database, version: number): void {
  if (version === 0) db.run(SCHEMA);
  else for (let step = version; step < SCHEMA_VERSION; step++) STEPS[step]!(db);
}

/** Version 1 had neither tenants nor a full-text index. Everything in it becomes the default tenant's. */
function tenantsAndTerms(db: Database): void {
  for (const name of ["log_put", "log_delete"]) db.run(`DROP TRIGGER ${name}`);
  for (const name of ["documents", "chunks", "vectors"]) db.run(`ALTER TABLE ${name} RENAME TO ${name}_1`);
  for (const name of ["TABLE changes", "INDEX chunks_of_document"]) db.run(`DROP ${name}`);
  db.run(SCHEMA);
  const tenant = tenantKey(db, DEFAULT_TENANT);
  db.query(
    "INSERT INTO documents (tenant, id, title, source, digest, metadata) SELECT ?, id, title, source, digest, '{}' FROM documents_1 ORDER BY id",
  ).run(tenant);
  db.run(
    `INSERT INTO chunks (row, id, document, position, tokens, title, heading_path, source, text)
       SELECT row, chunks_1.id, key, position, tokens, chunks_1.title, heading_path, chunks_1.source, text
         FROM chunks_1 JOIN documents ON documents.id = document_id`,
  );
  db.run("INSERT INTO vectors SELECT * FROM vectors_1");
  for (const name of ["vectors", "chunks", "documents"]) db.run(`DROP TABLE ${name}_1`);
  for (const { key } of db.query<{ key: number }, []>("SELECT key FROM documents").all()) {
    const rows = db
      .query<{ row: number; position: number; title: string; heading_path: string; text: string }, [number]>(
        "SELECT row, position, title, heading_path, text FROM chunks WHERE document = ?",
      )
      .all(key)
      .map((row) => ({ ...row, heading_path: JSON.parse(row.heading_path) as string[] }));
    for (const [at, terms] of termsOf(rows).entries()) indexTerms(db, rows[at]!.row, terms);
  }
}
