/** The extension sqlite-vec: an exact scan in C over its own table, in memory. */
import { Database } from "bun:sqlite";
import { getLoadablePath } from "sqlite-vec";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import type { ExactScan } from "./exact-scan.ts";

export class SqliteVec {
  #db = new Database(":memory:");

  constructor(vectors: ExactScan, chunks: number) {
    this.#db.loadExtension(getLoadablePath());
    this.#db.run(
      `CREATE VIRTUAL TABLE vectors USING vec0 (vector float[${EMBEDDING_DIMENSIONS}] distance_metric=cosine)`,
    );
    const insert = this.#db.query("INSERT INTO vectors (rowid, vector) VALUES (?, ?)");
    this.#db.transaction(() => {
      for (let i = 0; i < chunks; i++) insert.run(i, vectors.bytesOf(i));
    })();
  }

  /** Numbers of the `count` nearest, best first. */
  nearest(question: Float32Array, count: number): number[] {
    return this.#db
      .query<{ rowid: number }, [Float32Array, number]>(
        "SELECT rowid FROM vectors WHERE vector MATCH ? AND k = ? ORDER BY distance",
      )
      .all(question, count)
      .map(({ rowid }) => rowid);
  }
}
