/**
 * Calls a replica, in whichever wire format it speaks, and tells a good answer from a bad one.
 *
 * Always streams, so that a replica that hangs or dies midway is noticed by its silence and not at the deadline.
 */
import { Answer } from "./answer.ts";
import { ReplicaError } from "./error.ts";
import { ollamaChat, ollamaGenerate } from "./ollama.ts";
import { openaiChat } from "./openai.ts";
import { streamText } from "./stream.ts";
import { Watch } from "./watch.ts";
import { type ReplicaUsage, type Wire, WireFault } from "./wire.ts";

export interface ReplicaRequest {
  /** The replica's base URL; a path in it is kept, a slash at its end makes no difference. */
  readonly url: string;
  readonly prompt: string;
  readonly signal: AbortSignal;
  /** Called with whatever the model makes, thoughts included: it is at work. */
  readonly onSign?: () => void;
  /** Called with each piece of the answer as it comes. */
  readonly onToken?: (token: string) => void;
  /** Called with what the replica counted, when the answer is whole. */
  readonly onUsage?: (usage: ReplicaUsage) => void;
}

export interface ReplicaClient {
  /**
   * The whole answer, never empty. When the signal fires, the HTTP request is aborted too.
   * @throws ReplicaError if there is no such answer; the signal's reason when it fires.
   */
  generate(request: ReplicaRequest): Promise<string>;
}

export type ReplicaApi = "ollama" | "ollama-chat" | "openai";

export interface ReplicaOptions {
  readonly api: ReplicaApi;
  readonly model: string;
  /** Sent as a bearer token. */
  readonly api_key?: string;
  /** Longest time to the first token, ms. */
  readonly first_token_ms: number;
  /** Longest time from one token to the next, ms. */
  readonly between_tokens_ms: number;
}

const wires: Record<ReplicaApi, Wire> = {
  ollama: ollamaGenerate,
  "ollama-chat": ollamaChat,
  openai: openaiChat,
};

/** For the stream to end after the answer has: only so can the connection be used again. */
const END_MS = 50;

export function replicaClient(options: ReplicaOptions): ReplicaClient {
  const { api, model, api_key, first_token_ms, between_tokens_ms } = options;
  const wire = wires[api];
  const { path } = wire;
  const headers: Record<string, string> = api_key ? { authorization: `Bearer ${api_key}` } : {};

  return {
    async generate({ url, prompt, signal, onSign, onToken, onUsage }) {
      signal.throwIfAborted();
      const watch = new Watch(signal, url);
      const answer = new Answer(wire, onToken);
      try {
        watch.expect("token", first_token_ms);
        const body = wire.body(model, prompt);
        for await (const text of streamText({ url, path, body, headers, signal: watch.signal })) {
          const complete = answer.complete;
          const token = answer.add(text);
          if (complete) continue;
          if (token) onSign?.();
          if (answer.complete) watch.expect("end", END_MS);
          else if (token) watch.expect("further token", between_tokens_ms);
        }
      } catch (error) {
        signal.throwIfAborted();
        // What happens to the connection after the answer is of no concern to it.
        if (!answer.complete) throw watch.signal.aborted ? watch.signal.reason : toReplicaError(error, url);
      } finally {
        watch.end();
      }
      try {
        const text = answer.end();
        onUsage?.(answer.usage);
        return text;
      } catch (error) {
        throw toReplicaError(error, url);
      }
    },
  };
}

function toReplicaError(error: unknown, url: string): unknown {
  if (!(error instanceof WireFault)) return error;
  return new ReplicaError(error.code, url, error.message, { cause: error.cause });
}
