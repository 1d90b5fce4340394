/** Events as a response of server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html */

export interface EventStreamOptions<Event> {
  /** An event's lines, its empty last one included; empty for one that is not told. */
  readonly encode: (event: Event) => string;
  /** Comments are sent so often that nobody between takes the stream for dead, nor does Bun (`idleTimeout`), ms. */
  readonly heartbeat_ms: number;
  /** Called once: when all was sent, or with the error that ended it, or when the client has hung up. */
  readonly ended: (last: Event | undefined, error?: unknown) => void;
}

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx holds a response back until its buffer is full, unless told.
  "x-accel-buffering": "no",
};

export function eventStream<Event>(
  events: ReadableStream<Event>,
  { encode, heartbeat_ms, ended }: EventStreamOptions<Event>,
): Response {
  const reader = events.getReader();
  const encoder = new TextEncoder();
  let beats: Timer;
  let last: Event | undefined;
  let over = false;
  const end = (error?: unknown) => {
    clearInterval(beats);
    if (!over) ended(last, error);
    over = true;
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      beats = setInterval(() => send(":\n\n"), heartbeat_ms);
      const pump = async () => {
        try {
          for (let next = await reader.read(); !next.done; next = await reader.read()) {
            last = next.value;
            const text = encode(next.value);
            if (text) send(text);
          }
          end();
          controller.close();
        } catch (error) {
          if (over) return; // the client has hung up
          end(error);
          controller.error(error);
        }
      };
      pump();
    },
    cancel(reason) {
      end(reason);
      return reader.cancel(reason);
    },
  });
  return new Response(body, { headers: HEADERS });
}

export function encodeEvent({ id, event, data }: { id: string; event: string; data: unknown }): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
