import { type Framing, type Wire, WireFault } from "./wire.ts";

/** An answer as it grows, from the text of its stream. */
export class Answer {
  #text = "";
  #begun = false;
  #complete = false;
  readonly #framing: Framing;

  constructor(
    private readonly wire: Wire,
    private readonly onToken?: (token: string) => void,
  ) {
    this.#framing = wire.framing();
  }

  /** Whether the replica has said that it is; what comes after that is passed over. */
  get complete(): boolean {
    return this.#complete;
  }

  /**
   * Takes more of the stream; `true` if there was a token in it.
   * @throws WireFault
   */
  add(text: string): boolean {
    return this.#read(this.#framing.push(text));
  }

  /**
   * The whole answer, once the stream has ended.
   * @throws WireFault if it is not complete, or empty.
   */
  end(): string {
    try {
      this.#read(this.#framing.end());
    } catch (error) {
      // Half a frame is how a broken stream ends; alone it may be anything.
      if (!this.#begun || !(error instanceof WireFault) || error.code !== "malformed") throw error;
    }
    if (!this.#begun) throw new WireFault("malformed", "answered with nothing of its wire format");
    if (!this.#complete) throw new WireFault("cut_off", "ended its answer before it was complete");
    if (!this.#text.trim()) throw new WireFault("malformed", "answered with nothing");
    return this.#text;
  }

  #read(frames: readonly string[]): boolean {
    let any = false;
    for (const frame of frames) {
      if (this.#complete) break;
      const { text, token, last } = this.wire.read(frame);
      this.#begun = true;
      this.#complete = last;
      any ||= token;
      if (!text) continue;
      this.#text += text;
      this.onToken?.(text);
    }
    return any;
  }
}
