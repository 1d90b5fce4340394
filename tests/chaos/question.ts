/** What the harness asks: each question holds a marker, and its answer has to hold the same one. */

/** In a question, makes the encoder that handles it die. */
export const POISON = "poison";

const MARKER = /marker-[\w-]+/;

export function question(marker: string, poisoned: boolean): string {
  return `What does ${marker} mean?${poisoned ? ` ${POISON}` : ""}`;
}

export function markerIn(text: string): string | undefined {
  return MARKER.exec(text)?.[0];
}
