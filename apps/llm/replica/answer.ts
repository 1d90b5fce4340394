import { type Framing, type ReplicaUsage, type Wire, WireFault } from "./wire.ts";

/** An answer as it grows, from the text of its stream. */
export class Answer {
  #text = "";
  #begun = false;
  #complete = false;
  #usage: ReplicaUsage = {};
  readonly #framing: Framing;

  constructor(
    private readonly wire: Wire,
    private readonly onToken?: (token: string) => void,
  ) {
    this.#framing = wire.framing();
  }

  /** Whether the replica has said that it is; of what comes after that the usage alone is read. */
  get complete(): boolean {
    return this.#complete;
  }

  /** What the replica counted; some say so with the answer's end, some after it. */
  get usage(): ReplicaUsage {
    return this.#usage;
  }

  /**
   * Takes more of the stream; `true` if there was a token in it.
   * @throws WireFault, but not for what comes after a complete answer
   */
  add(text: string): boolean {
    try {
      return this.#read(this.#framing.push(text));
    } catch (error) {
      if (this.#complete && error instanceof WireFault) return false;
      throw error;
    }
  }

  /**
   * The whole answer, once the stream has ended.
   * @throws WireFault if it is not complete, or empty.
   */
  end(): string {
    try {
      this.#read(this.#framing.end());
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      // Half a frame is how a broken stream ends; alone it may be anything.
      if (!this.#complete && (!this.#begun || error.code !== "malformed")) throw error;
    }
    if (!this.#begun) throw new WireFault("malformed", "answered with nothing of its wire format");
    if (!this.#complete) throw new WireFault("cut_off", "ended its answer before it was complete");
    if (!this.#text.trim()) throw new WireFault("malformed", "answered with nothing");
    return this.#text;
  }

  #read(frames: readonly string[]): boolean {
    let any = false;
    for (const frame of frames) {
      const { text, token, last, usage } = this.wire.read(frame);
      if (usage) this.#usage = usage;
      if (this.#complete) continue;
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
