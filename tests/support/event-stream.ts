/** Reads a gateway's events as a client would: by the field's own parser. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { AnswerEvent } from "#contracts";

export interface ReadAlong {
  readonly response: Response;
  readonly events: AsyncIterable<AnswerEvent>;
  /** All events until the stream ends. */
  all(): Promise<AnswerEvent[]>;
  hangUp(): void;
}

export async function readAlong(url: string, init: RequestInit = {}): Promise<ReadAlong> {
  const client = new AbortController();
  const response = await fetch(url, { ...init, signal: client.signal });
  const events = (async function* () {
    const text = response.body!.pipeThrough(new TextDecoderStream());
    const parsed = text.pipeThrough(new EventSourceParserStream());
    for await (const { id, event, data } of parsed) {
      yield { id, event, data: JSON.parse(data) } as AnswerEvent;
    }
  })();
  return {
    response,
    events,
    all: () => Array.fromAsync(events),
    hangUp: () => client.abort(),
  };
}

/** POST /query with `stream`. */
export function askAlong(
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<ReadAlong> {
  return readAlong(`${url}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, stream: true }),
  });
}

/** GET /jobs/:id/events */
export function followJob(url: string, job_id: string, last_event_id?: string): Promise<ReadAlong> {
  const headers = last_event_id === undefined ? undefined : { "last-event-id": last_event_id };
  return readAlong(`${url}/jobs/${job_id}/events`, { headers });
}

/** What a client shows: the text since the last `reset`. */
export function textOf(events: readonly AnswerEvent[]): string {
  let text = "";
  for (const { event, data } of events) {
    if (event === "reset") text = "";
    if (event === "token") text += data.text;
  }
  return text;
}
