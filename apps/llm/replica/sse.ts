import { createParser } from "eventsource-parser";
import { type Framing, MAX_FRAME_CHARS, malformed } from "./wire.ts";

/** Server-sent events: a frame is the data of one; comments, which servers send to keep a connection, are none. */
export function sseFraming(): Framing {
  const frames: string[] = [];
  const parser = createParser({
    maxBufferSize: MAX_FRAME_CHARS,
    onEvent: ({ data }) => frames.push(data),
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") throw malformed("", "an event without end", error);
    },
  });
  const push = (text: string) => {
    parser.feed(text);
    return frames.splice(0);
  };
  return { push, end: () => push("\n\n") };
}
