/** Compiles the vector scan where that is not done yet, for the SQLite store: quick when it is there. */
import { buildVectorScan } from "../packages/vector-store/sqlite/scan/vector-scan.ts";

if (import.meta.main) await ensureVectorScan();

/** @returns whether it compiled. */
export async function ensureVectorScan(): Promise<boolean> {
  return (await buildVectorScan()).built;
}
