/** The one order of results and listings, whichever the store: by UTF-16 code units, as JavaScript compares. */
import type { SearchHit } from "./types.ts";

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Nearest first; ties by id. */
export function bestFirst(a: SearchHit, b: SearchHit): number {
  return b.score - a.score || byId(a, b);
}
