/** What instant stages retrieve. */
export const PASSAGE = "A passage of the length that a chunk has, two or three sentences of prose. ".repeat(
  6,
);

/** The prompt of a question: as long as one with five passages. */
export function promptOf(query: string): string {
  return query + PASSAGE.repeat(5);
}
