/**
 * The change log: which vectors came and went, in order, so that a reader follows other processes' commits
 * without reading everything again. Triggers write it (see the schema), writers prune it in the same
 * transaction.
 *
 * Pruning keeps the last `CHANGES_KEPT` entries. Numbers are never used again and have no gaps, so a reader
 * that has followed up to entry n can go on exactly if entry n + 1 is still there or not written yet; if not,
 * it loads everything.
 */
import type { Database } from "bun:sqlite";

/** Entries that stay: 20 bytes each, and some 100 documents replaced between two searches of one reader. */
export const CHANGES_KEPT = 10_000;

/** A vector that came or went. `vector` is null where a later entry takes it away again. */
export interface Change {
  readonly seq: number;
  readonly id: number;
  readonly op: "put" | "delete";
  readonly vector: Uint8Array | null;
}

/** Number of the last entry; 0 where there was never one. */
export function lastChange(db: Database): number {
  return db.query<{ seq: number | null }, []>("SELECT max(seq) AS seq FROM changes").get()?.seq ?? 0;
}

/** The entries after `seq`, in order; `undefined` if some of them are pruned already. */
export function changesSince(db: Database, seq: number): Change[] | undefined {
  const oldest = db.query<{ seq: number | null }, []>("SELECT min(seq) AS seq FROM changes").get()?.seq;
  if (oldest && oldest > seq + 1) return undefined;
  return db
    .query<Change, [number]>(
      "SELECT seq, id, op, vector FROM changes LEFT JOIN vectors ON op = 'put' AND chunk = id WHERE seq > ? ORDER BY seq",
    )
    .all(seq);
}

/** Drops all but the last `kept` entries. */
export function pruneChanges(db: Database, kept = CHANGES_KEPT): void {
  db.query("DELETE FROM changes WHERE seq <= ?").run(lastChange(db) - kept);
}
