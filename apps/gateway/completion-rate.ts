/** How fast the line completes jobs, as this gateway sees it: what `Retry-After` is computed from. */

const WINDOW_MS = 10_000;

export class CompletionRate {
  #at: number[] = [];

  completed(): void {
    this.#at.push(performance.now());
  }

  /** Whole seconds until `depth` jobs are done at the present rate: 1 to 60, and 60 where nothing is completed. */
  secondsFor(depth: number): number {
    const since = performance.now() - WINDOW_MS;
    this.#at = this.#at.filter((at) => at > since);
    const per_second = this.#at.length / (WINDOW_MS / 1_000);
    return Math.min(60, Math.max(1, Math.ceil(depth / per_second)));
  }
}
