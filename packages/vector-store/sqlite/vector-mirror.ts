/**
 * The file's vectors, mirrored in memory, each tenant's apart: all of them as int8 codes to be scanned, from the first
 * search on, and those that were read of late as they are. Changes of the file come by the change log.
 */
import type { Database } from "bun:sqlite";
import { LRUCache } from "lru-cache";
import { LogFollower } from "./change-log.ts";
import { toFloats } from "./cosine.ts";
import { VectorMemory } from "./scan/vector-memory.ts";
import { VectorTable } from "./scan/vector-table.ts";
import type { Scope } from "./scope.ts";
import { rowsOf, tenantOf } from "./tenants.ts";

/**
 * Vectors kept as they are: 1.7 KB each, 14 MB. Reading one costs eight times its scoring, and a search reads 250: in a small
 * corpus the same ones each time.
 */
const KEPT = 8_192;

export class VectorMirror {
  #scan: WebAssembly.Module;
  #memory: VectorMemory;
  #tenants = new Map<number, VectorTable>();
  #kept = new LRUCache<number, Float32Array>({ max: KEPT });
  #follower = new LogFollower({
    load: (db) => this.#load(db),
    take: (db, rows) => this.#take(db, rows),
  });

  constructor(scan: WebAssembly.Module) {
    this.#scan = scan;
    this.#memory = new VectorMemory(scan);
  }

  /** To be called after a commit through the same connection. */
  committed(): void {
    this.#follower.committed();
  }

  /** Brings the vectors to the state of the transaction that `db` is in. */
  follow(db: Database): void {
    this.#follower.follow(db);
  }

  /** Rows of the `count` nearest of the scope as far as the codes tell, in no order. */
  nearest(question: Float32Array, count: number, { tenant, first, rows }: Scope): number[] {
    const vectors = this.#tenants.get(tenant);
    if (!vectors) return [];
    const among = rows?.map((row) => row - first);
    return Array.from(vectors.nearest(question, count, among), (row) => first + row);
  }

  /** The vectors under these rows as they are stored, in the rows' order. */
  stored(db: Database, rows: readonly number[]): Float32Array[] {
    const unread = rows.filter((row) => !this.#kept.has(row));
    if (unread.length === 0) return rows.map((row) => this.#kept.get(row)!);
    const read = new Map(
      db
        .query<{ row: number; vector: Uint8Array }, [string]>(
          "SELECT chunk AS row, vector FROM json_each(?) AS near JOIN vectors ON chunk = near.value",
        )
        .all(JSON.stringify(unread))
        .map(({ row, vector }) => [row, toFloats(vector)]),
    );
    const vectors = rows.map((row) => read.get(row) ?? this.#kept.get(row)!);
    for (const [row, vector] of read) this.#kept.set(row, vector);
    return vectors;
  }

  #load(db: Database): void {
    this.#tenants.clear();
    this.#kept.clear();
    this.#memory = new VectorMemory(this.#scan);
    const rows = db.query<{ chunk: number; vector: Uint8Array }, []>("SELECT chunk, vector FROM vectors");
    for (const { chunk, vector } of rows.iterate()) {
      const { vectors, row } = this.#find(chunk);
      vectors.set(row, vector);
    }
  }

  #take(db: Database, rows: readonly number[]): void {
    const now = db
      .query<{ chunk: number; vector: Uint8Array | null }, [string]>(
        "SELECT changed.value AS chunk, vector FROM json_each(?) AS changed LEFT JOIN vectors ON chunk = changed.value",
      )
      .all(JSON.stringify(rows));
    for (const { chunk, vector } of now) {
      const { vectors, row } = this.#find(chunk);
      this.#kept.delete(chunk);
      if (vector) vectors.set(row, vector);
      else vectors.remove(row);
    }
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
