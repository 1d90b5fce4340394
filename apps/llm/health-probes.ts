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
/** Between two questions to a replica that hangs: a fresh one may be refused at once. */
const AGAIN_MS = 250;

export interface HealthProbesOptions {
  readonly balancer: Balancer;
  readonly path: string;
  /** 0 for never. */
  readonly interval_ms: number;
  readonly changed: (url: string, before: BreakerState, after: BreakerState) => void;
}

export class HealthProbes {
  #timer: Timer | undefined;
  readonly #hung = new Set<string>();
  #stopped = false;

  constructor(private readonly options: HealthProbesOptions) {
    this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Of a replica that was found to hang: a question is left with it, which it answers the moment that it returns.
   * Resolves then, or when it does not count as hung any more.
   */
  async watchReturn(url: string): Promise<void> {
    if (this.options.interval_ms === 0 || this.#hung.has(url)) return;
    this.#hung.add(url);
    try {
      while (!this.#stopped && !(await this.#well(url)) && (await this.#hangs(url)))
        await Bun.sleep(AGAIN_MS);
    } finally {
      this.#hung.delete(url);
    }
  }

  async #hangs(url: string): Promise<boolean> {
    const known = await this.options.balancer.view().catch(() => undefined);
    return known?.some((one) => one.url === url && one.hung_at > 0) ?? true;
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
    const { balancer, changed } = this.options;
    const started = performance.now();
    if (await this.#well(url)) return;
    const [before, after] = await balancer.unwell(url, performance.now() - started);
    if (before !== after) changed(url, before, after);
  }

  /** Whether it answers; the balancer is told, for one that was taken to hang. */
  async #well(url: string): Promise<boolean> {
    const { balancer, path } = this.options;
    try {
      const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await response.body?.cancel();
      // A key may be wanted for it: whoever says so is up.
      if (response.status >= 500) return false;
    } catch {
      return false; // not there, or silent
    }
    await balancer.alive(url, "well");
    return true;
  }
}
