/**
 * Clients of the gateways.
 *
 * One that waits sends an Idempotency-Key, and asks again with it, at any gateway, when its connection breaks or it is
 * told to; where it had to, it asks once more after its answer, which has to be the same. One that is going to hang up
 * has no key, so that its job is cancelled when it does; it does not ask twice.
 */
import type { ErrorBody, QueryAnswer } from "#contracts";
import type { Ask } from "./callers.ts";
import type { Gateway } from "./line.ts";
import { type Question, textOf } from "./question.ts";
import type { SeededRandom } from "./random.ts";
import type { Answer } from "./told.ts";

/** Nothing of the question is on the line, as far as the gateway knows. */
const ASK_AGAIN = new Set([429, 503]);
const AGAIN_AFTER_MS = 50;

/** An answer, the code of an error, or nothing where it is for the client to ask again. */
type Reply = Answer | string | undefined;

export class Client {
  constructor(
    private readonly gateways: readonly Gateway[],
    private readonly random: SeededRandom,
  ) {}

  readonly ask: Ask = async (question, { signal, refused }) => {
    const { leaves_after_ms } = question;
    if (leaves_after_ms !== undefined) {
      const reply = await this.#ask(
        question,
        AbortSignal.any([signal, AbortSignal.timeout(leaves_after_ms)]),
      );
      if (typeof reply === "string") return { kind: "error", code: reply };
      return reply ? { kind: "answered", answers: [reply] } : { kind: "left" };
    }
    const answers: Answer[] = [];
    for (let wanted = 1; answers.length < wanted; ) {
      const reply = await this.#ask(question, signal);
      if (typeof reply === "string") return { kind: "error", code: reply };
      if (reply) answers.push(reply);
      else {
        signal.throwIfAborted();
        refused();
        wanted = 2;
        await Bun.sleep(AGAIN_AFTER_MS);
      }
    }
    return { kind: "answered", answers };
  };

  async #ask(question: Question, signal: AbortSignal): Promise<Reply> {
    const gateway = this.random.pick(this.gateways);
    const key = question.leaves_after_ms === undefined && { "idempotency-key": question.marker };
    gateway.waiting++;
    try {
      const response = await fetch(`${gateway.url}/query`, {
        method: "POST",
        headers: { "content-type": "application/json", ...key },
        body: JSON.stringify({ query: textOf(question) }),
        signal,
      });
      const body = (await response.json()) as QueryAnswer & ErrorBody;
      if (response.ok) return { job_id: body.job_id, answer: body.answer };
      return ASK_AGAIN.has(response.status) ? undefined : body.error.code;
    } catch {
      return undefined; // hung up, or its gateway is gone
    } finally {
      gateway.waiting--;
    }
  }
}
