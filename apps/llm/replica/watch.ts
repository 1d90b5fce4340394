import { ReplicaError } from "./error.ts";

/** Aborts a call to a replica when its caller does, or when what is expected next does not come in time. */
export class Watch {
  readonly #call = new AbortController();
  readonly #abort = () => this.#call.abort(this.caller.reason);
  #timer?: Timer;

  constructor(
    private readonly caller: AbortSignal,
    private readonly url: string,
  ) {
    caller.addEventListener("abort", this.#abort, { once: true });
  }

  /** Its reason is the caller's, or a ReplicaError `timeout`. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** In place of what was expected before. */
  expect(what: string, within_ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#call.abort(new ReplicaError("timeout", this.url, `sent no ${what} within ${within_ms} ms`));
    }, within_ms);
  }

  /** Nothing is expected any more; a call that is still under way is aborted. */
  end(): void {
    clearTimeout(this.#timer);
    this.caller.removeEventListener("abort", this.#abort);
    this.#call.abort();
  }
}
