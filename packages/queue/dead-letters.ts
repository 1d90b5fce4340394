/** The dead letters of a queue, for whoever looks after the line: read, put back, deleted. */
import type { Redis } from "ioredis";
import { contract, DeadLetter, type RedisNames } from "#contracts";
import lanes from "./lua/lanes.lua" with { type: "text" };
import retryDead from "./lua/retry_dead.lua" with { type: "text" };
import { type Turn, turnOf } from "./turn.ts";

/** A dead letter and its place. */
export interface NumberedLetter {
  /** From 1, the oldest: letters that come later do not renumber it, those that leave do. */
  readonly number: number;
  /** Byte for byte as it lies in Redis: a foreign program's need not be UTF-8. */
  readonly raw: Buffer;
  /** What does not read as a dead letter is one whose message is all of it, with `at` 0. */
  readonly letter: DeadLetter;
}

/** No dead letter has this number; the message says which there are. */
export class NoSuchLetter extends Error {
  override name = "NoSuchLetter";
}

/** How a message died before, oldest first: the field `history` of a message that was retried. */
export type History = readonly Pick<DeadLetter, "reason" | "stage" | "at" | "deliveries">[];

/** Letters in one answer: ten thousand of them at once would hold up the line for a tenth of a second. */
const PAGE = 250;

const letters = contract(DeadLetter);

type RetryRedis = Redis & {
  queueRetryDead(
    dead: string,
    queue: string,
    completion: string,
    raw: Buffer,
    message: string,
    ...turn: Turn
  ): Promise<number>;
};

/** Queues are given by name: `job:encoder_in`. Everything rejects as the connection does. */
export class DeadLetters {
  readonly #redis: RetryRedis;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
  ) {
    redis.defineCommand("queueRetryDead", { lua: `${lanes}\n${retryDead}`, numberOfKeys: 3 });
    this.#redis = redis as RetryRedis;
  }

  /** All of a queue's letters, oldest first; one that goes meanwhile can hide another. */
  async list(queue: string): Promise<NumberedLetter[]> {
    const found: NumberedLetter[] = [];
    for (;;) {
      const oldest = -1 - found.length;
      const page = await this.#redis.lrangeBuffer(this.names.dead(queue), oldest - PAGE + 1, oldest);
      for (const raw of page.reverse()) {
        found.push({ number: found.length + 1, raw, letter: read(raw.toString()) });
      }
      if (page.length < PAGE) return found;
    }
  }

  /** The letters with these numbers, oldest first; without numbers all. @throws NoSuchLetter */
  async show(queue: string, numbers: readonly number[] = []): Promise<NumberedLetter[]> {
    const all = await this.list(queue);
    const missing = numbers.find((number) => !all[number - 1]);
    if (missing !== undefined) {
      const there = all.length === 0 ? "it has none" : `they are 1 to ${all.length}`;
      throw new NoSuchLetter(`${queue} has no dead letter ${missing}: ${there}`);
    }
    return numbers.length === 0 ? all : all.filter(({ number }) => numbers.includes(number));
  }

  /**
   * Puts messages back into their queue, as the last of their tenants; resolves with how many.
   *
   * A message that is a JSON object carries its past from then on (`history`) and is submitted anew: as its
   * deadline has usually passed, `submitted_at` becomes now and `deadline` is as long after it as it was
   * before, so that it is not dropped as expired at once. Any other message goes back as it is.
   * @throws NoSuchLetter before anything is moved
   */
  async retry(queue: string, numbers?: readonly number[]): Promise<number> {
    let retried = 0;
    for (const { raw, letter } of await this.show(queue, numbers)) {
      const message = revived(letter, Date.now());
      retried += await this.#redis.queueRetryDead(
        this.names.dead(queue),
        this.names.queue(queue),
        this.names.completion(String(jobOf(letter)?.job_id)),
        raw,
        message,
        ...turnOfLetter(letter),
      );
    }
    return retried;
  }

  /** Deletes letters for good; resolves with how many. @throws NoSuchLetter before anything is deleted */
  async drop(queue: string, numbers?: readonly number[]): Promise<number> {
    let dropped = 0;
    for (const { raw } of await this.show(queue, numbers)) {
      dropped += await this.#redis.lrem(this.names.dead(queue), -1, raw);
    }
    return dropped;
  }
}

/** The message of a letter, if it is a JSON object. */
export function jobOf({ message }: Pick<DeadLetter, "message">): Record<string, unknown> | undefined {
  const value = parse(message);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** A message that does not say, or not as the contract has it, waits for no turn. */
function turnOfLetter(letter: DeadLetter): Turn {
  const { tenant, priority } = jobOf(letter) ?? {};
  return turnOf({
    tenant: typeof tenant === "string" ? tenant : undefined,
    priority: typeof priority === "number" && priority > 0 ? priority : undefined,
  });
}

function read(raw: string): DeadLetter {
  const letter = parse(raw);
  if (letters.check(letter)) return letter;
  return {
    message: raw,
    reason: "lies among the dead letters without saying why",
    stage: "unknown",
    at: 0,
    deliveries: 0,
  };
}

function revived(letter: DeadLetter, now: number): string {
  const job = jobOf(letter);
  if (!job) return letter.message;
  const { reason, stage, at, deliveries } = letter;
  const past: History = Array.isArray(job.history) ? job.history : [];
  const history: History = [...past, { reason, stage, at, deliveries }];
  const { submitted_at, deadline } = job;
  if (typeof submitted_at !== "number" || typeof deadline !== "number") {
    return JSON.stringify({ ...job, history });
  }
  return JSON.stringify({ ...job, submitted_at: now, deadline: now + deadline - submitted_at, history });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
