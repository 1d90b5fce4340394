/** What the client needs of a wire format; `ollama.ts` and `openai.ts` hold the three. */
import type { ReplicaErrorCode } from "./error.ts";

export interface Wire {
  /** Below the replica's base URL, without a leading slash. */
  readonly path: string;
  /** The JSON body that asks for a streamed answer. */
  body(model: string, prompt: string): object;
  /** A new one for each stream. */
  framing(): Framing;
  /** @throws WireFault for a frame that this format does not have, or that says that the replica gave up. */
  read(frame: string): Piece;
}

/** Cuts a stream's text into frames, wherever the network cut it. */
export interface Framing {
  /** @throws WireFault for a frame without end. */
  push(text: string): string[];
  /** What is left at the end of the stream: servers may omit the last frame's end. */
  end(): string[];
}

/** What a frame says. */
export interface Piece {
  /** The answer goes on with this; may be empty. */
  readonly text: string;
  /** Whether the model made anything: `text`, or thoughts that are no part of the answer. */
  readonly token: boolean;
  /** Whether the answer is complete. */
  readonly last: boolean;
  /** What the replica counted, where the frame says so. */
  readonly usage?: ReplicaUsage;
}

/** Tokens as a replica counts them; either may be missing. */
export interface ReplicaUsage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
}

/** Longer than any context is: more is a mistake, and would use up somebody's day. */
const MOST_TOKENS = 10_000_000;

/** A count of tokens, of whatever a replica says. */
export function tokenCount(said: unknown): number | undefined {
  const plausible = Number.isInteger(said) && (said as number) >= 0 && (said as number) <= MOST_TOKENS;
  return plausible ? (said as number) : undefined;
}

export class WireFault extends Error {
  override name = "WireFault";

  /** @param what goes on from "the replica at URL". */
  constructor(
    readonly code: Extract<ReplicaErrorCode, "malformed" | "cut_off">,
    what: string,
    options?: ErrorOptions,
  ) {
    super(what, options);
  }
}

/** Longest frame, in UTF-16 code units: whatever sends more is not a replica. */
export const MAX_FRAME_CHARS = 1 << 20;

const SHOWN_CHARS = 100;

/** @throws WireFault if `frame` is not JSON. */
export function parseFrame(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch (cause) {
    throw malformed(frame, "not JSON", cause);
  }
}

export function malformed(frame: string, why: string, cause?: unknown): WireFault {
  const shown = frame.length > SHOWN_CHARS ? `${frame.slice(0, SHOWN_CHARS)}...` : frame;
  return new WireFault("malformed", `answered what is not its wire format (${why}): ${shown}`, { cause });
}
