/**
 * Whose a chunk is, told by its row: each tenant has 2^32 rows of its own. So a search is kept to its tenant by
 * a range of rows, which no filter can widen and which costs nothing: the full-text index seeks it, and the
 * mirror keeps each tenant's vectors apart.
 */
import type { Database } from "bun:sqlite";
import { StoreError } from "../types.ts";

const ROWS_A_TENANT = 2 ** 32;

/** Rows must remain safe integers. */
const MAX_TENANTS = 2 ** 21;

/** First and last row that a tenant's chunks may have. */
export function rowsOf(tenant: number): readonly [first: number, last: number] {
  return [tenant * ROWS_A_TENANT, (tenant + 1) * ROWS_A_TENANT - 1];
}

/** The tenant whose row it is. */
export function tenantOf(row: number): number {
  return Math.floor(row / ROWS_A_TENANT);
}

/** A tenant's key; `undefined` if it has never had a document. */
export function findTenant(db: Database, name: string): number | undefined {
  return db.query<{ key: number }, [string]>("SELECT key FROM tenants WHERE name = ?").get(name)?.key;
}

/** A tenant's key, a new one if it has none: the first is 0. */
export function tenantKey(db: Database, name: string): number {
  const known = findTenant(db, name);
  if (known !== undefined) return known;
  const insert = db.query<{ key: number }, [string]>(
    "INSERT INTO tenants (key, name) SELECT coalesce(max(key) + 1, 0), ? FROM tenants RETURNING key",
  );
  const { key } = insert.get(name)!;
  if (key < MAX_TENANTS) return key;
  throw new StoreError(`one file holds ${MAX_TENANTS} tenants at most: name another file`);
}

/** The row after the tenant's last. */
export function nextRow(db: Database, tenant: number): number {
  const [first, last] = rowsOf(tenant);
  const highest = db.query<{ row: number | null }, [number, number]>(
    "SELECT max(row) AS row FROM chunks WHERE row BETWEEN ? AND ?",
  );
  return (highest.get(first, last)?.row ?? first - 1) + 1;
}
