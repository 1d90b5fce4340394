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
import { VectorMemory } from "./scan/vector-memory.ts";
import { VectorTable } from "./scan/vector-table.ts";
import type { Scope } from "./scope.ts";
import { rowsOf, tenantOf } from "./tenants.ts";

export class VectorMirror {
  #scan: WebAssembly.Module;
  #memory: VectorMemory;
  #tenants = new Map<number, VectorTable>();
  #data_version: number | undefined;
  #followed: number | undefined;

  constructor(scan: WebAssembly.Module) {
    this.#scan = scan;
    this.#memory = new VectorMemory(scan);
  }

  /** Own commits do not show in `data_version`: say so here. */
  committed(): void {
    this.#data_version = undefined;
  }

  /** Rows of the `count` nearest of the scope as far as the codes tell, in no order. */
  nearest(question: Float32Array, count: number, { tenant, first, rows }: Scope): number[] {
    const vectors = this.#tenants.get(tenant);
    const near =
      vectors?.nearest(
        question,
        count,
        rows?.map((row) => row - first),
      ) ?? [];
    return Array.from(near, (row) => first + row);
  }

  /** Brings the vectors to the state of the transaction that `db` is in. */
  follow(db: Database): void {
    const data_version = db.query<{ data_version: number }, []>("PRAGMA data_version").get()?.data_version;
    if (data_version === this.#data_version) return;
    const changes = this.#followed === undefined ? undefined : changesSince(db, this.#followed);
    if (changes) {
      for (const change of changes) {
        const { vectors, row } = this.#find(change.id);
        if (change.op === "delete") vectors.remove(row);
        else if (change.vector) vectors.set(row, change.vector);
        this.#followed = change.seq;
      }
    } else this.#load(db);
    this.#data_version = data_version;
  }

  #load(db: Database): void {
    this.#followed = undefined;
    this.#tenants.clear();
    this.#memory = new VectorMemory(this.#scan);
    const rows = db.query<{ chunk: number; vector: Uint8Array }, []>("SELECT chunk, vector FROM vectors");
    for (const { chunk, vector } of rows.iterate()) {
      const { vectors, row } = this.#find(chunk);
      vectors.set(row, vector);
    }
    this.#followed = lastChange(db);
  }

  /** Whose vectors a chunk's row belongs to, and which of theirs it is. */
  #find(chunk: number): { vectors: VectorTable; row: number } {
    const tenant = tenantOf(chunk);
    let vectors = this.#tenants.get(tenant);
    if (!vectors) {
      vectors = new VectorTable(this.#memory);
      this.#tenants.set(tenant, vectors);
    }
    return { vectors, row: chunk - rowsOf(tenant)[0] };
  }
}
