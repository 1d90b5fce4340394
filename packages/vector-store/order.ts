/** The one order of results and listings, whichever the store: by UTF-16 code units, as JavaScript compares. */

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

interface Scored {
  readonly id: string;
  readonly score: number;
}

/** Highest score first; ties by id. */
export function bestFirst(a: Scored, b: Scored): number {
  return b.score - a.score || byId(a, b);
}
