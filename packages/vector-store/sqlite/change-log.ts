/**
 * The change log: which rows' chunks came and went, so that a reader follows other processes' commits without
 * reading everything again. Triggers write it (see the schema), writers prune it in the same transaction.
 *
 * Pruning keeps the last `CHANGES_KEPT` entries. Numbers are never used again and have no gaps, so a reader
 * that has followed up to entry n can go on exactly if entry n + 1 is still there or not written yet; if not,
 * it loads everything.
 */
import type { Database } from "bun:sqlite";

/** Entries that stay: 20 bytes each, and some 100 documents replaced between two searches of one reader. */
export const CHANGES_KEPT = 10_000;

/** What of the file is kept in memory, each row by itself: whatever is told twice does no harm. */
interface Mirror {
  /** Everything anew. */
  load(db: Database): void;
  /** What is in the file under these rows, and whether anything is there, may be otherwise than it was. */
  take(db: Database, rows: readonly number[]): void;
}

/**
 * Keeps a mirror to the file.
 *
 * 1. Nothing is known until the first call of `follow`: it has everything loaded, and remembers the log's last entry.
 * 2. Each later one asks `PRAGMA data_version` (3 us) whether anybody committed since, and tells of the rows that the log
 *    has since; after a commit through the same connection, which that number does not count, it looks in the log anyway.
 * 3. If the log is pruned beyond what was remembered: back to 1. After an error the next call tells the same again.
 */
export class LogFollower {
  #data_version: number | undefined;
  #followed: number | undefined;

  constructor(private readonly mirror: Mirror) {}

  /** Own commits do not show in `data_version`: say so here. */
  committed(): void {
    this.#data_version = undefined;
  }

  /**
   * Brings the mirror to the state of the transaction that `db` is in: that of the search's other reads, so that all is
   * of one commit.
   */
  follow(db: Database): void {
    const data_version = db.query<{ data_version: number }, []>("PRAGMA data_version").get()?.data_version;
    if (data_version === this.#data_version) return;
    const last = lastChange(db);
    const rows = this.#followed === undefined ? undefined : changedSince(db, this.#followed);
    if (!rows) {
      this.#followed = undefined;
      this.mirror.load(db);
    } else if (rows.length > 0) this.mirror.take(db, rows);
    this.#followed = last;
    this.#data_version = data_version;
  }
}

/** Number of the last entry; 0 where there was never one. */
function lastChange(db: Database): number {
  return db.query<{ seq: number | null }, []>("SELECT max(seq) AS seq FROM changes").get()?.seq ?? 0;
}

/** Each row of the entries after `seq`; `undefined` if some of them are pruned already. */
function changedSince(db: Database, seq: number): number[] | undefined {
  const oldest = db.query<{ seq: number | null }, []>("SELECT min(seq) AS seq FROM changes").get()?.seq;
  if (oldest && oldest > seq + 1) return undefined;
  return db
    .query<{ id: number }, [number]>("SELECT DISTINCT id FROM changes WHERE seq > ?")
    .all(seq)
    .map(({ id }) => id);
}

/** Drops all but the last `kept` entries. */
export function pruneChanges(db: Database, kept = CHANGES_KEPT): void {
  db.query("DELETE FROM changes WHERE seq <= ?").run(lastChange(db) - kept);
}
