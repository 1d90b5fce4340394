/**
 * One JSON line for each call that is over: what was chosen, from what, and what came of it. For training and replay
 * off-line: `bun run simulate --replay FILE`.
 */
import { appendFileSync } from "node:fs";
import type { Call, CallOutcome, Considered, PolicyName } from "#balancer";

export interface Decision {
  /** When the call was over, epoch ms. */
  readonly at: number;
  readonly policy: PolicyName;
  readonly replica: string;
  /** Calls there when it was chosen, without this one. */
  readonly in_flight: number;
  readonly outcome: CallOutcome["outcome"];
  readonly latency_ms: number;
  readonly candidates: readonly Considered[];
}

/** Lines are kept for so long at most before they are written, ms: a killed worker loses these. */
const FLUSH_MS = 1_000;

export class DecisionLog {
  #lines: string[] = [];
  #timer: Timer | undefined;

  constructor(
    private readonly path: string,
    private readonly policy: PolicyName,
    /** Told where the file cannot be written; the answers go on. */
    private readonly failed: (error: unknown) => void,
  ) {}

  add({ url, considered = [] }: Call, { outcome, latency_ms }: Omit<CallOutcome, "again">): void {
    const in_flight = considered.find(({ replica }) => replica === url)?.running ?? 0;
    const decision: Decision = {
      at: Date.now(),
      policy: this.policy,
      replica: url,
      in_flight,
      outcome,
      latency_ms: Math.round(latency_ms),
      candidates: considered,
    };
    this.#lines.push(JSON.stringify(decision));
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  /** Several workers may write to the same file: what is appended at once stays together. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    try {
      appendFileSync(this.path, text);
    } catch (error) {
      this.failed(error);
    }
  }
}
