/** What a caller is told of its question in the end. */
export type Told =
  /** By each time that it asked until then; all of them have to be the same. */
  | { readonly kind: "answered"; readonly answers: readonly Answer[] }
  | { readonly kind: "error"; readonly code: string }
  /** Its client hung up, or gave up asking, before it was told. */
  | { readonly kind: "left" };

export interface Answer {
  readonly job_id: string;
  readonly answer: string;
}
