/** What the server needs of a wire format; `ollama.ts` and `openai.ts` are the two. */

/** An endpoint that generates. */
export interface Endpoint {
  /** @throws WireError for a body that this endpoint does not take. */
  read(body: unknown): Exchange;
  /** The JSON body of an error. */
  error(status: number, message: string): object;
}

/** One request, and how its answer is written. Frames are strings as they go over the wire. */
export interface Exchange {
  readonly prompt: string;
  readonly stream: boolean;
  readonly stream_type: string;
  /** Before the first token; empty where the format has nothing there. */
  opening(): string;
  token(text: string): string;
  closing(usage: Usage): string;
  /** The answer in one piece, as JSON. */
  whole(answer: string, usage: Usage): object;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly answer_tokens: number;
  readonly to_first_token_ms: number;
  readonly total_ms: number;
}

/** A request that cannot be served; `message` goes to the client. */
export class WireError extends Error {
  override name = "WireError";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The last thing that the user said: where a chat holds the prompt. */
export function lastUserMessage<M extends { role: string }>(messages: readonly M[]): M {
  const message = messages.findLast(({ role }) => role === "user");
  if (!message) throw new WireError(400, "messages must hold one with the role user");
  return message;
}
