/**
 * Asks without a gateway, and admits its jobs as one does.
 *
 * A push that Redis did not take, or whose reply was lost, is sent again with the same id: at most one is on the line.
 */
import type { Redis } from "ioredis";
import { type RedisNames, redisNames } from "#contracts";
import {
  Admission,
  CompletionWaiter,
  connectProducer,
  connectSubscriber,
  connectWorker,
  questionLine,
} from "#queue";
import type { Ask } from "./callers.ts";
import { type Question, textOf } from "./question.ts";
import type { Told } from "./told.ts";

const NAME = "chaos";
/** What is late shall show as such, not expire. */
const HOUR_MS = 3_600_000;

/** Questions are of several tenants, which take turns, and some of none that does. */
const turns = [{ tenant: "a", priority: 1 }, { tenant: "b", priority: 3 }, { tenant: "c", priority: 1 }, {}];

export class DirectCaller {
  readonly #names: RedisNames = redisNames();
  readonly #producer: Redis;
  readonly #reader: Redis;
  readonly #subscriber: Redis;
  readonly #admission: Admission;
  readonly #waiter: CompletionWaiter;

  constructor(redis_url: string) {
    const ignore = () => {};
    this.#producer = connectProducer(redis_url, ignore);
    this.#reader = connectWorker(redis_url, ignore);
    this.#subscriber = connectSubscriber(redis_url, ignore);
    this.#admission = new Admission(this.#producer, this.#names, questionLine, Number.MAX_SAFE_INTEGER);
    this.#waiter = new CompletionWaiter(NAME, this.#reader, this.#subscriber, this.#names, ignore);
  }

  /** Resolves when it hears of completions at once. */
  async up(): Promise<void> {
    await this.#waiter.start();
    await this.#producer.ping().catch(() => {});
  }

  readonly ask: Ask = async (question, { signal, refused }) => {
    const job_id = question.marker;
    const submitted_at = Date.now();
    const deadline = submitted_at + HOUR_MS;
    const completion = this.#waiter.wait(job_id, deadline, signal);
    completion.catch(() => {}); // awaited once the job is accepted
    while (!(await this.#admitted(question, job_id, deadline))) {
      refused();
      do await Bun.sleep(20);
      while (this.#producer.status !== "ready" && !signal.aborted);
      signal.throwIfAborted();
    }
    const told = await completion;
    if (told.status !== "ok") return { kind: "error", code: told.code } satisfies Told;
    const answer = "answer" in told ? told.answer : "";
    return { kind: "answered", answers: [{ job_id: told.job_id, answer }] };
  };

  async #admitted(question: Question, job_id: string, deadline: number): Promise<boolean> {
    const job = {
      job_id,
      query: textOf(question),
      top_k: 5,
      selected_replica: "http://replica.invalid",
      submitted_at: Date.now(),
      deadline,
      reply_to: NAME,
      timings: {},
      ...turns[Number(BigInt(Bun.hash(question.marker)) % BigInt(turns.length))],
    };
    try {
      await this.#admission.admit(job, job_id, question.marker);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#waiter.close();
    for (const connection of [this.#producer, this.#reader, this.#subscriber]) connection.disconnect();
  }
}
