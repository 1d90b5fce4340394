/**
 * The file's vectors, mirrored in memory, each tenant's apart.
 *
 * 1. Empty until the first search.
 * 2. The first search loads every vector and remembers the last entry of the change log.
 * 3. Each later search asks `PRAGMA data_version` (3 us) whether anybody committed since, and takes what the
 *    log has since; after a commit through the same connection, which that number does not count, it looks
 *    in the log anyway.
 * 4. If the log is pruned beyond what was remembered: back to 2.
 *
 * Call `follow` inside the read transaction that the search's other reads belong to: then vectors and texts
 * are of one commit. Taking an entry twice does no harm, so an error half-way is made good by the next call.
 */
import type { Database } from "bun:sqlite";
import { changesSince, lastChange } from "./change-log.ts";
import type { Scope } from "./scope.ts";
import { tenantOf } from "./tenants.ts";
import { VectorTable } from "./vector-table.ts";

export class VectorMirror {
  #tenants = new Map<number, VectorTable>();
  #data_version: number | undefined;
  #followed: number | undefined;

  /** Own commits do not show in `data_version`: say so here. */
  committed(): void {
    this.#data_version = undefined;
  }

  /** Rows of the `count` nearest of the scope, in no order, and of what ties with the last of them. */
  nearest(question: Float32Array, count: number, { tenant, rows }: Scope): number[] {
    return this.#tenants.get(tenant)?.nearest(question, count, rows) ?? [];
  }

  /** Brings the vectors to the state of the transaction that `db` is in. */
  follow(db: Database): void {
    const data_version = db.query<{ data_version: number }, []>("PRAGMA data_version").get()?.data_version;
    if (data_version === this.#data_version) return;
    const changes = this.#followed === undefined ? undefined : changesSince(db, this.#followed);
    if (changes) {
      for (const change of changes) {
        if (change.op === "delete") this.#remove(change.id);
        else if (change.vector) this.#set(change.id, change.vector);
        this.#followed = change.seq;
      }
    } else this.#load(db);
    this.#data_version = data_version;
  }

  clear(): void {
    this.#tenants.clear();
  }

  #load(db: Database): void {
    this.#followed = undefined;
    this.clear();
    const rows = db.query<{ chunk: number; vector: Uint8Array }, []>("SELECT chunk, vector FROM vectors");
    for (const { chunk, vector } of rows.iterate()) this.#set(chunk, vector);
    this.#followed = lastChange(db);
  }

  #set(row: number, vector: Uint8Array): void {
    const tenant = tenantOf(row);
    let table = this.#tenants.get(tenant);
    if (!table) {
      table = new VectorTable();
      this.#tenants.set(tenant, table);
    }
    table.set(row, vector);
  }

  #remove(row: number): void {
    this.#tenants.get(tenantOf(row))?.remove(row);
  }
}
