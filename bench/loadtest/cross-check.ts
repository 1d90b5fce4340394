/**
 * Whether each answer is for its own question. A question's marker is the passages that it retrieves: it
 * comes back in `sources` with any corpus and any model, where a marker put into the text would be up to
 * the model to repeat.
 *
 * 1. Before the run every question is asked once, alone: these are its own sources.
 * 2. In the run, an answer whose sources are nearer to another question's than to its own is crossed.
 * 3. So is one whose job id another answer had: two clients were given the same job's answer.
 *
 * Not seen: a full swap between two askings of the same question, and what lies between questions that
 * retrieve the same passages.
 */
import type { QueryAnswer } from "#contracts";
import { type AskOptions, ask } from "./outcome.ts";

type Sources = ReadonlySet<string>;

export interface Crossed {
  readonly question: string;
  /** The question whose answer it was, where that could be told. */
  readonly belongs_to: string | null;
  readonly job_id: string;
}

export class CrossCheck {
  readonly #own: ReadonlyMap<string, Sources>;
  readonly #jobs = new Set<string>();
  readonly crossed: Crossed[] = [];
  checked = 0;

  private constructor(own: ReadonlyMap<string, Sources>) {
    this.#own = own;
  }

  /**
   * Asks each of `questions` alone.
   * @throws Error if one is not answered, or if too few differ in their sources to tell a mix-up.
   */
  static async learn(questions: readonly string[], options: AskOptions): Promise<CrossCheck> {
    const own = new Map<string, Sources>();
    for (const question of new Set(questions)) {
      const outcome = await ask(question, options);
      if (outcome.kind === "answered") own.set(question, sourcesOf(outcome.answer));
      else
        throw new Error(
          `"${question}" was not answered alone: ${"reason" in outcome ? outcome.reason : outcome.kind}`,
        );
    }
    const different = new Set([...own.values()].map((sources) => [...sources].sort().join("\n")));
    if (different.size < 2) throw new Error("every question has the same sources: index documents first");
    return new CrossCheck(own);
  }

  /** How many questions can be told from all others. */
  get distinguishable(): number {
    const alike = Map.groupBy(this.#own.values(), (sources) => [...sources].sort().join("\n"));
    return [...alike.values()].filter((of) => of.length === 1).length;
  }

  check(question: string, answer: QueryAnswer): void {
    this.checked++;
    const sources = sourcesOf(answer);
    const own = likeness(sources, this.#own.get(question)!);
    let belongs_to: string | null = null;
    // Sources may change a little from one asking to the next; nearest is enough, and a tie is its own.
    let nearest = own;
    for (const [other, others] of own === 1 ? [] : this.#own) {
      const like = likeness(sources, others);
      if (like > nearest) [belongs_to, nearest] = [other, like];
    }
    const { job_id } = answer;
    const foreign = own === 0 && sources.size > 0;
    if (belongs_to !== null || foreign || this.#jobs.has(job_id))
      this.crossed.push({ question, belongs_to, job_id });
    this.#jobs.add(job_id);
  }
}

function sourcesOf({ sources }: QueryAnswer): Sources {
  return new Set(sources.map(({ id }) => id));
}

/** Jaccard: shared over all; two empty sets are alike. */
function likeness(a: Sources, b: Sources): number {
  const all = a.union(b).size;
  return all === 0 ? 1 : a.intersection(b).size / all;
}
