/**
 * A job's turn on its document. Several workers may hold jobs of one document: two uploads, an upload and a deletion.
 * What the document is in the end is what was accepted last, in whatever order they are worked on:
 *
 * 1. A job takes the turn before it looks at the store, and waits while another has it.
 * 2. It renews it as it goes, which also says how far it is. A job that was superseded is refused: it ends as cancelled.
 * 3. It ends it when the store is written, or when it fails. The turn of a worker that died ends by itself, or goes on
 *    with the same job at another worker.
 *
 * A worker that was frozen for longer than `WRITING_MS` between its last renewal and its write could still write an
 * older version over a newer one; nothing short of a version check in every store would prevent that.
 */
import type { Redis } from "ioredis";
import { DEFAULT_TENANT, type IndexIn, type RedisNames } from "#contracts";
import { Cancelled } from "#queue";
import endTurn from "./lua/end_turn.lua" with { type: "text" };
import takeTurn from "./lua/take_turn.lua" with { type: "text" };

/** Between two renewals lies one call of the model. */
const WORKING_MS = 30_000;
/** A large document's write to a slow store. */
const WRITING_MS = 120_000;
const LOOK_AGAIN_MS = 50;

interface TurnCommands {
  documentTakeTurn(
    turn: string,
    record: string,
    ...args: (string | number)[]
  ): Promise<"yours" | "taken" | "superseded">;
  documentEndTurn(turn: string, progress: string, job_id: string): Promise<number>;
}

export class Turns {
  readonly #redis: Redis & TurnCommands;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
  ) {
    redis.defineCommand("documentTakeTurn", { lua: takeTurn, numberOfKeys: 2 });
    redis.defineCommand("documentEndTurn", { lua: endTurn, numberOfKeys: 2 });
    this.#redis = redis as Redis & TurnCommands;
  }

  /**
   * Does `work` while it is the job's turn.
   * @throws Cancelled once the job is superseded; the signal's reason if it fires while waiting; whatever `work` throws.
   */
  async during<T>(job: IndexIn, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T> {
    const { job_id, tenant = DEFAULT_TENANT, document_id, latest_only } = job;
    const { names } = this;
    const turn_key = names.turn(tenant, document_id);
    const progress = names.progress(job_id);
    const take = async (ms: number, ...shown: string[]) => {
      const record = names.document(tenant, document_id);
      const taken = await this.#redis.documentTakeTurn(
        turn_key,
        record,
        job_id,
        ms,
        latest_only ? 1 : 0,
        ...shown,
      );
      if (taken === "superseded") throw new Cancelled("a newer upload or a deletion took its place");
      return taken === "yours";
    };
    const keep = async (ms: number, done: number, total: number) => {
      if (await take(ms, progress, `${done}/${total}`)) return;
      throw new Cancelled("it showed no progress for so long that another job of its document took its turn");
    };
    while (!(await take(WORKING_MS))) {
      await Bun.sleep(LOOK_AGAIN_MS);
      signal.throwIfAborted();
    }
    try {
      return await work({
        renew: (done, total) => keep(WORKING_MS, done, total),
        write: (total) => keep(WRITING_MS, total, total),
      });
    } finally {
      await this.#redis.documentEndTurn(turn_key, progress, job_id);
    }
  }
}

export interface Turn {
  /** Keeps the turn, and shows how many of the document's chunks are embedded. @throws Cancelled once it is another's. */
  renew(done: number, total: number): Promise<void>;
  /** Keeps it for as long as a write may take: to be called right before it. @throws Cancelled once it is another's. */
  write(total: number): Promise<void>;
}
