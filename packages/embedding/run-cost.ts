/** What an inference costs here and now, learnt from those before: how many tokens fit into a bound of time. */

/** Before anything is known; two modest cores. */
const FIRST_MS_PER_TOKEN = 0.25;
/** How much the last run weighs: a machine that gets busy is noticed within a few. */
const WEIGHT = 0.25;

export class RunCost {
  #ms_per_token = FIRST_MS_PER_TOKEN;

  learn(tokens: number, ms: number): void {
    this.#ms_per_token += WEIGHT * (ms / tokens - this.#ms_per_token);
  }

  tokensWithin(ms: number): number {
    return Math.floor(ms / this.#ms_per_token);
  }
}
