/**
 * Reads the token streams of all jobs that this gateway's clients read along, on one connection.
 *
 * Its life: one XREAD after another, which waits at the server until something comes. Each is over
 * 1. the gateway's own stream of wakes, in which workers name its jobs whose streams have grown; and those of other gateways
 *    whose jobs are followed here;
 * 2. the streams that have grown, as the read before said, and those that are followed from now on: an entry in its own
 *    stream of wakes ends the read that waits. (CLIENT UNBLOCK would be lost when it comes just before the wait begins.)
 * 3. a few of the others, in turn: where a wake is lost, or a worker writes none, their tokens come all the same.
 *
 * So a read costs what has grown, not what is followed: over all of 2,000 streams each, reads took most of two cores.
 */
import type { Redis } from "ioredis";
import {
  MAX_TOKEN_WAKES,
  type RedisNames,
  TOKENS_TTL_SECONDS,
  type TokenEntry,
  tokenEntry,
} from "#contracts";
import { BLOCK_SECONDS } from "#queue";

/** An entry's id in its stream, and what it holds. */
export type ReadEntry = readonly [id: string, entry: TokenEntry];

/** Called with entries in order; one that came before may come again. */
export type OnEntries = (entries: readonly ReadEntry[]) => void;

const READ_AGAIN_AFTER_MS = 200;
/** How many streams are read though nothing is said of them. Where no more are followed, no wake is needed. */
const OTHERS = 64;
/** How long a read waits where there are more: it is the others' turn then, ms. */
const TURN_MS = 100;

interface Followed {
  last: string;
  readonly readers: Set<OnEntries>;
}

/** A gateway's stream of wakes. */
interface Wakes {
  last: string;
  /** Readers of its jobs. */
  readers: number;
}

export class TokenReader {
  readonly #followed = new Map<string, Followed>();
  /** Streams that are to be read next. */
  readonly #grown = new Set<string>();
  readonly #wakes = new Map<string, Wakes>();
  /** Whose turn it is, of the others. */
  #turn: Iterator<string> = [].values();
  #waking = false;

  /**
   * @param waiting a connection of its own, as it waits at the server; the reader ends with it.
   * @param redis for commands.
   */
  constructor(
    private readonly gateway: string,
    private readonly waiting: Redis,
    private readonly redis: Redis,
    private readonly names: RedisNames,
  ) {
    this.#listenTo(gateway);
    this.#read();
  }

  /**
   * A job's entries, from the first on, until the returned function is called.
   * @param reply_to the gateway that the job is of.
   */
  follow(job_id: string, reply_to: string, reader: OnEntries): () => void {
    const key = this.names.tokens(job_id);
    const followed = this.#followed.get(key) ?? { last: "0", readers: new Set() };
    followed.last = "0"; // another reader needs what came before
    followed.readers.add(reader);
    this.#followed.set(key, followed);
    this.#grown.add(key);
    const leave = this.#listenTo(reply_to);
    this.#wakeUp();
    return () => {
      if (!followed.readers.delete(reader)) return;
      leave();
      if (followed.readers.size === 0 && this.#followed.get(key) === followed) this.#followed.delete(key);
    };
  }

  /** A job's entries so far. Rejects as the connection does. */
  async read(job_id: string): Promise<ReadEntry[]> {
    return parse(await this.redis.xrange(this.names.tokens(job_id), "-", "+"));
  }

  #listenTo(gateway: string): () => void {
    const key = this.names.tokensWake(gateway);
    const wakes = this.#wakes.get(key) ?? { last: "0", readers: 0 };
    wakes.readers++;
    this.#wakes.set(key, wakes);
    return () => {
      if (--wakes.readers === 0) this.#wakes.delete(key);
    };
  }

  #wakeUp(): void {
    if (this.#waking) return;
    this.#waking = true;
    const key = this.names.tokensWake(this.gateway);
    this.redis
      .pipeline()
      .xadd(key, "MAXLEN", "~", MAX_TOKEN_WAKES, "*", "jobs", "[]")
      .expire(key, TOKENS_TTL_SECONDS)
      .exec()
      .catch(() => {}); // the wait ends by itself, within BLOCK_SECONDS
  }

  async #read(): Promise<void> {
    const { waiting } = this;
    while (waiting.status !== "end") {
      // What is followed from here on is not in this read.
      this.#waking = false;
      const streams = this.#next();
      const from = new Map([...this.#wakes, ...streams].map(([key, { last }]) => [key, last] as const));
      const block_ms = this.#followed.size > OTHERS ? TURN_MS : BLOCK_SECONDS * 1_000;
      try {
        const found = await waiting.xread("BLOCK", block_ms, "STREAMS", ...from.keys(), ...from.values());
        for (const [key, entries] of found ?? []) {
          const followed = streams.get(key);
          if (!followed) this.#note(key, entries);
          // A reader that came meanwhile needs what came before first: it is read anew.
          else if (followed.last === from.get(key)) tell(followed, entries);
        }
      } catch {
        for (const key of streams.keys()) this.#grown.add(key);
        await Bun.sleep(READ_AGAIN_AFTER_MS);
      }
    }
  }

  /** What is read next: all that has grown, and the others whose turn it is. */
  #next(): Map<string, Followed> {
    const next = new Map<string, Followed>();
    const add = (key: string) => {
      const followed = this.#followed.get(key);
      if (followed) next.set(key, followed);
    };
    this.#grown.forEach(add);
    this.#grown.clear();
    for (let left = Math.min(OTHERS, this.#followed.size); left > 0; left--) {
      let { value, done } = this.#turn.next();
      if (done) {
        this.#turn = this.#followed.keys();
        value = this.#turn.next().value;
      }
      if (value !== undefined) add(value);
    }
    return next;
  }

  /** Wakes of a gateway: what they name is read next. */
  #note(key: string, entries: Entries): void {
    const wakes = this.#wakes.get(key);
    const last = entries.at(-1)?.[0];
    if (wakes && last) wakes.last = last;
    const grown = entries.length < MAX_TOKEN_WAKES ? entries.flatMap(jobsOf) : undefined;
    // So many that some may have been cut off: every stream may have grown.
    for (const name of grown?.map(this.names.tokens) ?? this.#followed.keys()) this.#grown.add(name);
  }
}

type Entries = [id: string, fields: string[]][];

function tell(followed: Followed, entries: Entries): void {
  followed.last = entries.at(-1)?.[0] ?? followed.last;
  const parsed = parse(entries);
  for (const reader of followed.readers) reader(parsed);
}

function jobsOf([, [, jobs = "[]"]]: Entries[number]): string[] {
  try {
    const named: unknown = JSON.parse(jobs);
    return Array.isArray(named) ? named.map(String) : [];
  } catch {
    return []; // its turn comes
  }
}

/** What does not fit is passed over: the completion has the whole answer. */
function parse(entries: Entries): ReadEntry[] {
  return entries.flatMap(([id, [, text = ""]]) => {
    try {
      const entry: unknown = JSON.parse(text);
      return tokenEntry.check(entry) ? [[id, entry] as const] : [];
    } catch {
      return [];
    }
  });
}
