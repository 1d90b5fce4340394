/**
 * Closes the books of a run: every accepted job is answered, or its error is told, or it is a dead letter; each
 * is completed once; and nothing is left anywhere on the line.
 */
import type { Redis } from "ioredis";
import type { DeadLetter } from "#contracts";
import type { Callers } from "./callers.ts";
import type { Ledger } from "./ledger.ts";

export interface Books {
  readonly accepted: number;
  readonly answered: number;
  readonly errors: number;
  /** Dead letters, whether their callers were told or not. */
  readonly dead: number;
  /** Accepted, and never heard of again. */
  readonly lost: string[];
  /** Completed more than once. */
  readonly twice: string[];
  /** Answered with what belongs to another job. */
  readonly crossed: string[];
  /** Dead, though they were not the ones that kill their workers. */
  readonly innocent: string[];
  /** What lies where, by key. */
  readonly stranded: ReadonlyMap<string, number>;
}

export function closeBooks(
  { accepted, refused, told }: Callers,
  ledger: Ledger,
  dead: ReadonlySet<string>,
  stranded: ReadonlyMap<string, number>,
): Books {
  const lost: string[] = [];
  const crossed: string[] = [];
  let answered = 0;
  let errors = 0;
  for (const [job_id, { marker }] of accepted) {
    if (dead.has(job_id)) continue;
    const completion = told.get(job_id);
    if (!completion) lost.push(job_id);
    else if (completion.status !== "ok") errors++;
    else {
      answered++;
      const own = "answer" in completion && completion.answer.startsWith(`${marker} `);
      if (!own || completion.job_id !== job_id) crossed.push(job_id);
    }
  }
  const twice = [...ledger.completions].filter(([, times]) => times > 1).map(([job_id]) => job_id);
  const innocent = [...dead].filter((job_id) => !(accepted.get(job_id) ?? refused.get(job_id))?.poisoned);
  return {
    accepted: accepted.size,
    answered,
    errors,
    dead: dead.size,
    lost,
    twice,
    crossed,
    innocent,
    stranded,
  };
}

/** How much lies in each queue, processing list, retry lane and set of delayed messages that is not empty. */
export async function lineContents(redis: Redis): Promise<Map<string, number>> {
  const contents = new Map<string, number>();
  for (const key of await redis.keys("job:*_in*")) {
    if (key.endsWith(":delayed")) contents.set(key, await redis.zcard(key));
    else if (/_in$|:retry$|:processing:/.test(key)) contents.set(key, await redis.llen(key));
  }
  for (const [key, count] of contents) if (count === 0) contents.delete(key); // emptied since it was listed
  return contents;
}

/** Ids of the jobs among the dead letters; a message that cannot be read is named as it is. */
export async function deadJobs(redis: Redis): Promise<Set<string>> {
  const dead = new Set<string>();
  for (const key of await redis.keys("job:*_in:dead")) {
    for (const text of await redis.lrange(key, 0, -1)) {
      const { message } = JSON.parse(text) as DeadLetter;
      dead.add(/"job_id":"([^"]*)"/.exec(message)?.[1] ?? message);
    }
  }
  return dead;
}
