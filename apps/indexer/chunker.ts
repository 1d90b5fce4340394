/**
 * Documents to passages, on a thread of its own: a large document takes a minute, in which this one embeds others,
 * renews its lease and answers for its health. A document on which it takes too long is given up: the thread is ended,
 * and the next document gets a new one.
 */
import type { ModelSource } from "#embedding";
import type { Passage } from "./chunks.ts";
import type { SourceDocument } from "./document.ts";

export interface Cut {
  readonly title: string;
  readonly passages: readonly Passage[];
}

/** What the thread is sent first, then a document at a time; it answers each with a `Cut`. */
export interface ChunkerOrder {
  readonly model: ModelSource;
  /** Tokens of one text, special tokens included. */
  readonly window: number;
}

/** A document on which the parser took too long: nested or broken beyond what it can take. */
export class TooComplex extends Error {
  override name = "TooComplex";
}

export interface ChunkerOptions extends ChunkerOrder {
  /** How long a document of so many characters may take, ms. Default: half a minute and a minute for each million. */
  readonly limit_ms?: (chars: number) => number;
}

/** Ten times what it should take. */
const FIRST_MS = 30_000;
const MS_PER_MILLION_CHARS = 60_000;

export class Chunker {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ChunkerOptions) {}

  /** One document after the other. @throws TooComplex */
  cut(document: SourceDocument): Promise<Cut> {
    const cut = this.#last.then(() => this.#cut(document));
    this.#last = cut.catch(() => {});
    return cut;
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #cut(document: SourceDocument): Promise<Cut> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const { limit_ms: limitOf = usualLimit } = this.options;
    const limit_ms = limitOf(document.content.length);
    return new Promise((resolve, reject) => {
      const give_up = (error: Error) => {
        clearTimeout(timer);
        this.close();
        reject(error);
      };
      const timer = setTimeout(
        () =>
          give_up(
            new TooComplex(
              `reading it takes longer than ${Math.round(limit_ms / 1_000)} s: split it, or send it as text`,
            ),
          ),
        limit_ms,
      );
      worker.onmessage = ({ data }: MessageEvent<Cut>) => {
        clearTimeout(timer);
        resolve(data);
      };
      worker.onerror = ({ message }: ErrorEvent) => give_up(new Error(message));
      worker.postMessage(document);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./chunker-worker.ts", import.meta.url));
    const { model, window } = this.options;
    worker.postMessage({ model, window } satisfies ChunkerOrder);
    return worker;
  }
}

function usualLimit(chars: number): number {
  return FIRST_MS + (chars / 1e6) * MS_PER_MILLION_CHARS;
}
