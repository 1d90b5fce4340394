/**
 * What one client is told of one job: the entries of its token stream as events, each once and in order.
 *
 * Every gateway makes the same events of the same stream, with the same ids, so a client may go on at any of them.
 * 1. `add`: entries become events. Those up to the id that the client has seen are read, and not told again.
 * 2. `end`: the completion. The texts that were told since the last `reset` are then the answer, whole: where the
 *    stream does not have all of it, as Redis lost it or its worker does not write it, the rest is told first.
 */
import { type AnswerCompletion, type AnswerEvent, queryAnswer, type Source } from "#contracts";
import type { HttpError } from "../http-error.ts";
import type { ReadEntry } from "./token-reader.ts";

/** Ids of events that are no entries: all before the stream, the end of a text that it does not have, and all. */
const BEGIN = "0";
const WHOLE = "whole";
const END = "end";

/** Whether whoever has seen `id` has seen everything. */
export function isEnd(id: string | undefined): boolean {
  return id === END;
}

export class Transcript {
  #last = BEGIN;
  readonly #runs = new Set<string>();
  #run: string | undefined;
  /** Of the present run. */
  #text = "";
  #any_text = false;
  #any_sources = false;
  /** Whether the client's last event was found: what it has is known. */
  #found: boolean;

  /** @param seen the client's `Last-Event-ID`. */
  constructor(
    private readonly job_id: string,
    private readonly seen?: string,
  ) {
    this.#found = seen === undefined || seen === BEGIN;
  }

  begin(): AnswerEvent[] {
    return this.seen === undefined ? [{ id: BEGIN, event: "accepted", data: { job_id: this.job_id } }] : [];
  }

  add(entries: readonly ReadEntry[]): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    for (const [id, entry] of entries) {
      if (compare(id, this.#last) <= 0) continue;
      this.#last = id;
      this.#found ||= id === this.seen;
      const event = this.#read(id, entry);
      if (event && !this.#told(id)) events.push(event);
    }
    return events;
  }

  end(completion: AnswerCompletion): AnswerEvent[] {
    const { answer, sources } = completion;
    const events: AnswerEvent[] = [];
    if (this.seen !== WHOLE) {
      if (!this.#found || !answer.startsWith(this.#text)) {
        events.push({ id: BEGIN, event: "reset", data: {} });
        this.#any_sources = false;
        this.#text = "";
      }
      if (!this.#any_sources) events.push(sourcesEvent(BEGIN, sources));
      const text = answer.slice(this.#text.length);
      if (text) events.push({ id: WHOLE, event: "token", data: { text } });
    }
    return [...events, { id: END, event: "done", data: queryAnswer(completion) }];
  }

  fail({ code, message }: HttpError): AnswerEvent[] {
    return [{ id: END, event: "error", data: { error: { code, message }, job_id: this.job_id } }];
  }

  #read(id: string, entry: ReadEntry[1]): AnswerEvent | undefined {
    if ("sources" in entry) {
      if (this.#any_sources) return undefined; // another worker took the job over
      this.#any_sources = true;
      return sourcesEvent(id, entry.sources);
    }
    if ("begin" in entry) {
      if (this.#runs.has(entry.begin)) return undefined; // sent again after a lost connection
      this.#runs.add(entry.begin);
      this.#run = entry.begin;
      this.#text = "";
      return this.#any_text ? { id, event: "reset", data: {} } : undefined;
    }
    if (entry.run !== this.#run || entry.at !== this.#text.length) return undefined;
    this.#any_text = true;
    this.#text += entry.text;
    return { id, event: "token", data: { text: entry.text } };
  }

  #told(id: string): boolean {
    const { seen } = this;
    if (seen === undefined || seen === BEGIN) return false;
    return seen === WHOLE || compare(id, seen) <= 0;
  }
}

function sourcesEvent(id: string, sources: Source[]): AnswerEvent {
  return { id, event: "sources", data: { sources } };
}

/** Ids of a stream's entries: milliseconds, and a number within them. */
function compare(a: string, b: string): number {
  const [a_ms = 0, a_n = 0] = a.split("-").map(Number);
  const [b_ms = 0, b_n = 0] = b.split("-").map(Number);
  return a_ms - b_ms || a_n - b_n;
}
