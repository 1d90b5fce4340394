/**
 * Closes the books of a run: every accepted job is answered, or its error is told, or it is a dead letter, or its client
 * hung up; each is completed once; and nothing is left anywhere on the line.
 */
import type { Redis } from "ioredis";
import type { DeadLetter } from "#contracts";
import type { Ledger } from "./ledger.ts";
import type { Question } from "./question.ts";
import type { Told } from "./told.ts";

export interface Books {
  /** The sum of `answered`, `errors`, `dead`, `left` and `lost`. */
  readonly accepted: number;
  readonly answered: number;
  readonly errors: number;
  /** Dead letters, whether their callers were told or not. */
  readonly dead: number;
  /** Done or cancelled, for a client that had hung up. */
  readonly left: number;
  /** Accepted, and its caller not told, or never completed. */
  readonly lost: string[];
  /** Completed more than once, or accepted more than once. */
  readonly twice: string[];
  /** Answered with what belongs to another job or to none, or once this way and once that. */
  readonly crossed: string[];
  /** Dead, though they were not the ones that kill their workers. */
  readonly innocent: string[];
  /** Markers of questions that were never told anything. */
  readonly unheard: string[];
  /** How often each code of an error was told; of dead letters it is to be expected. */
  readonly codes: ReadonlyMap<string, number>;
  /** What lies where, by key. */
  readonly stranded: ReadonlyMap<string, number>;
  /** What is counted where though nobody waits, by key. */
  readonly loads: ReadonlyMap<string, number>;
}

export interface Records {
  readonly questions: readonly Question[];
  /** By marker. */
  readonly told: ReadonlyMap<string, Told>;
  readonly ledger: Ledger;
  readonly dead: ReadonlySet<string>;
  readonly stranded: ReadonlyMap<string, number>;
  readonly loads: ReadonlyMap<string, number>;
}

export function closeBooks({ questions, told, ledger, dead, stranded, loads }: Records): Books {
  const poisoned = new Set(questions.filter((one) => one.poisoned).map(({ marker }) => marker));
  const lost: string[] = [];
  const crossed: string[] = [];
  const innocent: string[] = [];
  const twice = [...ledger.completions].filter(([, times]) => times > 1).map(([job_id]) => job_id);
  const codes = new Map<string, number>();
  const told_of = (code: string) => codes.set(code, (codes.get(code) ?? 0) + 1);
  /** Of accepted questions. */
  const markers = new Set<string>();
  const count = { answered: 0, errors: 0, dead: 0, left: 0 };
  for (const { job_id, marker } of ledger.accepted) {
    if (markers.has(marker)) twice.push(job_id);
    markers.add(marker);
    const end = told.get(marker);
    if (dead.has(job_id)) {
      count.dead++;
      if (!poisoned.has(marker)) innocent.push(job_id);
    } else if (!end || !ledger.completions.has(job_id)) lost.push(job_id);
    else if (end.kind === "left") count.left++;
    else if (end.kind === "error") {
      count.errors++;
      told_of(end.code);
    } else {
      count.answered++;
      const own = end.answers.every(
        (one) =>
          one.job_id === job_id &&
          one.answer.startsWith(`${marker} `) &&
          one.answer === end.answers[0]!.answer,
      );
      if (!own) crossed.push(job_id);
    }
  }
  for (const [marker, end] of told) {
    if (markers.has(marker)) continue;
    if (end.kind === "answered") crossed.push(marker);
    else if (end.kind === "error") told_of(end.code);
  }
  const unheard = questions.filter(({ marker }) => !told.has(marker)).map(({ marker }) => marker);
  return {
    accepted: ledger.accepted.length,
    ...count,
    lost,
    twice,
    crossed,
    innocent,
    unheard,
    codes,
    stranded,
    loads,
  };
}

/** How much lies in each queue, lane of a tenant, processing list, retry lane and set of delayed messages that is not empty. */
export async function lineContents(redis: Redis): Promise<Map<string, number>> {
  const contents = new Map<string, number>();
  for (const key of await redis.keys("job:*_in*")) {
    if (key.endsWith(":delayed")) contents.set(key, await redis.zcard(key));
    else if (/_in$|:lane:|:retry$|:processing:/.test(key)) contents.set(key, await redis.llen(key));
  }
  for (const [key, count] of contents) if (count === 0) contents.delete(key); // emptied since it was listed
  return contents;
}

/** How many jobs are counted on each replica, by both of its keys, where any are. */
export async function replicaLoads(redis: Redis): Promise<Map<string, number>> {
  const loads = new Map<string, number>();
  for (const key of await redis.keys("llm:load:*")) loads.set(key, Number(await redis.get(key)));
  for (const key of await redis.keys("llm:inflight:*")) loads.set(key, await redis.zcard(key));
  for (const [key, count] of loads) if (count === 0) loads.delete(key);
  return loads;
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
