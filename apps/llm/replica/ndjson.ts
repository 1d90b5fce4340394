import { type Framing, MAX_FRAME_CHARS, malformed } from "./wire.ts";

/** Newline-delimited JSON: a frame is a line that is not blank. */
export function ndjsonFraming(): Framing {
  let rest = "";
  return {
    push(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_FRAME_CHARS) throw malformed(rest, "a line without end");
      return lines.filter((line) => line.trim());
    },
    end: () => (rest.trim() ? [rest] : []),
  };
}
