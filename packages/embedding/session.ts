/**
 * The model at work on a thread of its own, so that an inference does not block the caller's event loop:
 *
 * 1. `start`: the thread loads the model's file.
 * 2. `encode`, once at a time: texts in, vectors out. The process lives for as long as one is at work, no longer.
 * 3. `close`: the thread and its memory go, when what is at work is done. A thread that is ended inside the engine takes the
 *    whole process with it.
 */

export interface SessionOrder {
  /** Of the model's ONNX file. */
  readonly path: string;
  /** Threads that one inference is spread over. */
  readonly threads: number;
  /** The id that fills shorter texts up. */
  readonly padding: number;
}

/** Token ids of several texts, one text after the other. */
export interface Texts {
  readonly ids: Int32Array;
  readonly lengths: readonly number[];
}

export interface Encoded {
  /** Of one text after the other, each of unit length. */
  readonly vectors: Float32Array<ArrayBuffer>;
  /** How long the inference took. */
  readonly ms: number;
}

export type SessionAnswer = { readonly ready: true } | Encoded | { readonly error: string };

export class Session {
  /** The type that TypeScript takes from the DOM lacks two of Bun's methods. */
  readonly #worker = new Worker(new URL("./session-worker.ts", import.meta.url)) as Worker &
    Pick<Bun.Worker, "ref" | "unref">;
  #work: Promise<unknown> | undefined;
  #closed = false;

  private constructor() {
    // Its batch would wait for ever: better that the process ends, and its jobs go to others.
    this.#worker.addEventListener("close", () => {
      if (this.#closed) return;
      queueMicrotask(() => {
        throw new Error("a thread that the model ran on has ended by itself");
      });
    });
  }

  /** @throws Error if the file is not there or is no model. */
  static async start(order: SessionOrder): Promise<Session> {
    const session = new Session();
    try {
      await session.#ask(order);
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  get busy(): boolean {
    return this.#work !== undefined;
  }

  /** Only when it is not busy. */
  encode(texts: Texts): Promise<Encoded> {
    return this.#ask(texts);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#work?.catch(() => {}); // whoever asked is told
    this.#worker.terminate();
  }

  async #ask(order: SessionOrder): Promise<unknown>;
  async #ask(texts: Texts): Promise<Encoded>;
  async #ask(what: SessionOrder | Texts): Promise<unknown> {
    this.#worker.ref();
    try {
      this.#work = new Promise((resolve, reject) => {
        this.#worker.onmessage = ({ data }: MessageEvent<SessionAnswer>) => {
          if ("error" in data) reject(new Error(data.error));
          else resolve(data);
        };
        this.#worker.onerror = ({ message }: ErrorEvent) => reject(new Error(message));
        this.#worker.postMessage(what);
      });
      return await this.#work;
    } finally {
      this.#worker.unref();
      this.#work = undefined;
    }
  }
}
