/**
 * A generation's life:
 * 1. arrived: its fate is drawn, in order of arrival.
 * 2. waiting, for one of `MOCK_CONCURRENCY` slots.
 * 3. in flight: it fails, hangs, or answers after its delay, token by token.
 * 4. over, once: served, failed by a fault, or aborted by its client. The slot is free from there.
 *
 * A client that disconnects ends it in any of these.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { answerFrom, tokens } from "./answer.ts";
import type { MockLlmSettings } from "./config.ts";
import { type Fate, Fates } from "./faults.ts";
import { Slots } from "./slots.ts";
import { type Exchange, type Usage, WireError } from "./wire.ts";

/** `GET /stats`: generations now, and since the start. */
export interface MockStats {
  readonly in_flight: number;
  readonly waiting: number;
  readonly served: number;
  /** Their client disconnected. */
  readonly aborted: number;
  /** A fault ended them. */
  readonly failed: number;
}

type Outcome = "served" | "aborted" | "failed";
/** Takes effect once. */
type End = (outcome: Outcome) => void;

/** For Bun to send what a body has yielded. */
const FLUSH_MS = 10;

const NOT_OUR_FORMAT = "<!doctype html><html><body><h1>It works!</h1></body></html>\n";

export class Generations {
  readonly #fates: Fates;
  readonly #slots: Slots;
  readonly #counts: Record<Outcome, number> = { served: 0, aborted: 0, failed: 0 };

  constructor(private readonly settings: MockLlmSettings) {
    this.#fates = new Fates(settings);
    this.#slots = new Slots(settings.MOCK_CONCURRENCY);
  }

  stats(): MockStats {
    const { in_flight, waiting } = this.#slots;
    return { in_flight, waiting, ...this.#counts };
  }

  /** Rejects with the signal's reason if the client disconnects before there is a response. */
  async respond(exchange: Exchange, signal: AbortSignal): Promise<Response> {
    const fate = this.#fates.next();
    try {
      await this.#slots.acquire(signal);
    } catch (error) {
      this.#counts.aborted++;
      throw error;
    }
    let over = false;
    const end: End = (outcome) => {
      if (over) return;
      over = true;
      this.#counts[outcome]++;
      this.#slots.release();
    };
    signal.addEventListener("abort", () => end("aborted"), { once: true });
    try {
      signal.throwIfAborted();
      return await this.#answer(exchange, fate, signal, end);
    } catch (error) {
      end(signal.aborted ? "aborted" : "failed");
      throw error;
    }
  }

  async #answer(exchange: Exchange, fate: Fate, signal: AbortSignal, end: End): Promise<Response> {
    if (fate.fault === "hang") return aborted(signal);
    if (fate.fault === "failure") throw new WireError(500, "the model runner has failed (MOCK_FAILURE_RATE)");
    if (fate.fault === "garbage") {
      end("failed");
      return new Response(NOT_OUR_FORMAT, { headers: { "content-type": "text/html" } });
    }
    const started = performance.now();
    const answer = tokens(answerFrom(exchange.prompt));
    // Even a timer of 0 ms takes one.
    if (fate.delay_ms > 0) await sleep(fate.delay_ms, undefined, { signal });
    const to_first_token_ms = performance.now() - started;
    const usage = (): Usage => ({
      prompt_tokens: tokens(exchange.prompt).length,
      answer_tokens: answer.length,
      to_first_token_ms,
      total_ms: performance.now() - started,
    });
    const cut = fate.fault === "cut";
    const paced = pace(cut ? firstHalf(answer) : answer, this.settings.MOCK_TOKENS_PER_SECOND, signal);
    const type = exchange.stream ? exchange.stream_type : "application/json; charset=utf-8";

    async function* body() {
      let opening = exchange.opening();
      for await (const batch of paced) {
        if (!exchange.stream) continue;
        yield opening + batch.map(exchange.token).join("");
        opening = "";
      }
      const last = exchange.stream
        ? exchange.closing(usage())
        : JSON.stringify(exchange.whole(answer.join(""), usage()));
      if (cut) {
        if (!exchange.stream) yield firstHalf(last);
        // Bun closes the connection of a body that throws, so the client sees no end of it; but what was yielded
        // just before would be lost with it.
        await sleep(FLUSH_MS, undefined, { signal });
        end("failed");
        throw new Error("cut off (MOCK_CUT_RATE)");
      }
      yield last;
      end("served");
    }
    // Bun streams a generator; the DOM's types do not know that.
    return new Response(body() as unknown as BodyInit, { headers: { "content-type": type } });
  }
}

/** All tokens at once, or each when it is due. By a schedule: being late once does not slow down the rest. */
async function* pace(answer: readonly string[], per_second: number, signal: AbortSignal) {
  if (per_second === 0) {
    yield answer;
    return;
  }
  const started = performance.now();
  for (const [i, token] of answer.entries()) {
    const due = started + (i * 1_000) / per_second;
    await sleep(Math.max(due - performance.now(), 0), undefined, { signal });
    yield [token];
  }
}

function firstHalf<T extends string | readonly string[]>(whole: T): T {
  return whole.slice(0, Math.ceil(whole.length / 2)) as T;
}

/** Never resolves; rejects when the signal fires. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
