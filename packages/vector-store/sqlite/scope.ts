/** Where a search may look: a tenant's rows, and of these what the filter leaves. */
import type { Database } from "bun:sqlite";
import type { SearchFilter } from "../types.ts";
import { findTenant, rowsOf } from "./tenants.ts";

export interface Scope {
  readonly tenant: number;
  /** The tenant's rows: from, up to and with. */
  readonly first: number;
  readonly last: number;
  /** Only these of them; all where there is no filter. */
  readonly rows?: readonly number[];
}

/** `undefined` where nothing can be found. */
export function scopeOf(db: Database, tenant: string, filter: SearchFilter = {}): Scope | undefined {
  const key = findTenant(db, tenant);
  if (key === undefined) return undefined;
  const [first, last] = rowsOf(key);
  const rows = filteredRows(db, key, filter);
  return rows?.length === 0 ? undefined : { tenant: key, first, last, rows };
}

/** A value of a document's metadata as `labels` has it: as JSON, which tells `"1"`, `1` and `true` apart. */
export function label(value: string | number | boolean): string {
  return JSON.stringify(value);
}

function filteredRows(db: Database, tenant: number, filter: SearchFilter): number[] | undefined {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  if (filter.document_ids) {
    conditions.push("id IN (SELECT value FROM json_each(?))");
    values.push(JSON.stringify(filter.document_ids));
  }
  for (const [name, wanted] of Object.entries(filter.metadata ?? {})) {
    conditions.push(
      "key IN (SELECT document FROM labels WHERE tenant = ? AND name = ? AND value IN (SELECT value FROM json_each(?)))",
    );
    values.push(tenant, name, JSON.stringify([wanted].flat().map((value) => label(value))));
  }
  if (conditions.length === 0) return undefined;
  const documents = `SELECT key FROM documents WHERE tenant = ? AND ${conditions.join(" AND ")}`;
  return db
    .query<{ row: number }, (string | number)[]>(`SELECT row FROM chunks WHERE document IN (${documents})`)
    .all(tenant, ...values)
    .map(({ row }) => row);
}
