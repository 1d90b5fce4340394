/**
 * An answer as server-sent events: `accepted`, `sources`, `token`..., then `done` with the plain answer's
 * body, or `error`. Every event has an id, so that a client can go on after it.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { errorCode, parseAnswer, parseJson } from "./answer-body.ts";
import type { Outcome } from "./outcome.ts";

/**
 * Reads to the last byte.
 * @param started the `performance.now()` just before the request.
 * @throws what `fetch` throws where the connection breaks or the request is aborted.
 */
export async function readAnswerStream(response: Response, started: number): Promise<Outcome> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
    return { kind: "failed", reason: "malformed answer: not an event stream" };
  const stream = new AnswerStream(started);
  const parser = createParser({ onEvent: (event) => stream.take(event) });
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) parser.feed(decoder.decode(chunk, { stream: true }));
  return stream.outcome();
}

class AnswerStream {
  readonly #started: number;
  readonly #gaps_ms: number[] = [];
  #first_ms: number | undefined;
  #last_at = 0;
  #job_id: unknown;
  #end: Outcome | undefined;

  constructor(started: number) {
    this.#started = started;
  }

  take({ event, id, data }: EventSourceMessage): void {
    const now = performance.now();
    if (this.#end) return;
    if (!id) this.#end = malformed(`event ${event} without an id`);
    else if (event === "accepted") this.#job_id = (parseJson(data) as { job_id?: unknown } | null)?.job_id;
    else if (event === "token") this.#token(now);
    else if (event === "error") this.#end = { kind: "failed", reason: errorCode(data) ?? "error event" };
    else if (event === "done") this.#end = this.#done(data, now - this.#started);
  }

  outcome(): Outcome {
    return this.#end ?? { kind: "failed", reason: "stream ended before it was done" };
  }

  #token(now: number): void {
    if (this.#first_ms === undefined) this.#first_ms = now - this.#started;
    else this.#gaps_ms.push(now - this.#last_at);
    this.#last_at = now;
  }

  #done(data: string, elapsed_ms: number): Outcome {
    const answer = parseAnswer(data);
    if (!answer.ok) return { kind: "failed", reason: answer.reason };
    if (answer.body.job_id !== this.#job_id) return malformed("done is of another job than accepted");
    const tokens = { first_ms: this.#first_ms ?? elapsed_ms, gaps_ms: this.#gaps_ms };
    return { kind: "answered", answer: answer.body, elapsed_ms, tokens };
  }
}

function malformed(fault: string): Outcome {
  return { kind: "failed", reason: `malformed answer: ${fault}` };
}
