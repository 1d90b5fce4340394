/** Asks replicas without traffic whether they are well, so that the first question after a quiet hour need not find out. */
import type { Balancer, BreakerState } from "#balancer";
import type { ReplicaApi } from "./replica/index.ts";

/** What answers 200 where a replica is up, without any work. */
export const HEALTH_PATHS: Record<ReplicaApi, string> = {
  ollama: "/api/version",
  "ollama-chat": "/api/version",
  openai: "/v1/models",
};

const ANSWER_MS = 2_000;

export interface HealthProbesOptions {
  readonly balancer: Balancer;
  readonly path: string;
  /** 0 for never. */
  readonly interval_ms: number;
  readonly changed: (url: string, before: BreakerState, after: BreakerState) => void;
}

export class HealthProbes {
  #timer: Timer | undefined;

  constructor(private readonly options: HealthProbesOptions) {
    this.#plan();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #plan(): void {
    const { interval_ms } = this.options;
    // Jittered: all workers look, and the first claims.
    if (interval_ms > 0)
      this.#timer = setTimeout(() => this.#look(), interval_ms * (0.5 + 0.5 * Math.random()));
  }

  async #look(): Promise<void> {
    const { balancer, interval_ms } = this.options;
    // While Redis is away there is nobody to tell.
    const due = await balancer.due(interval_ms).catch(() => []);
    await Promise.all(due.map((url) => this.#ask(url).catch(() => {})));
    this.#plan();
  }

  async #ask(url: string): Promise<void> {
    const { balancer, path, changed } = this.options;
    const started = performance.now();
    try {
      const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await response.body?.cancel();
      // A key may be wanted for it: whoever says so is up.
      if (response.status < 500) return;
    } catch {
      // Not there, or silent.
    }
    const [before, after] = await balancer.unwell(url, performance.now() - started);
    if (before !== after) changed(url, before, after);
  }
}
