/** When faults happen: spread evenly over the questions, one after the other. */
import type { Fault, Victims } from "./faults.ts";
import { spread } from "./question.ts";

export class FaultPlan {
  injected = 0;
  readonly #due: ReadonlySet<number>;
  #before: Promise<void> = Promise.resolve();
  #last: Promise<void> = Promise.resolve();

  /** @param failed gets what a fault met that should have ended in order. */
  constructor(
    private readonly fault: Fault | undefined,
    faults: number,
    jobs: number,
    private readonly victims: Victims,
    private readonly failed: (error: Error) => void,
  ) {
    this.#due = new Set(spread(faults, jobs));
  }

  /** To be awaited before each question: a fault that is due waits for the one before, and questions with it. */
  turn(asked: number): Promise<void> {
    if (this.#due.has(asked)) {
      this.#before = this.#last;
      this.#last = this.#before.then(() => this.#inject());
    }
    return this.#before;
  }

  /** Resolves when the cause of the last fault is over. */
  over(): Promise<void> {
    return this.#last;
  }

  async #inject(): Promise<void> {
    try {
      await this.fault?.(this.victims, this.injected++);
    } catch (error) {
      this.failed(error as Error);
    }
  }
}
