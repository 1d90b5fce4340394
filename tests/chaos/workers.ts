/**
 * The worker processes of a run, and the supervisor of each: whatever ends is started again.
 *
 * A worker's life: starting, until it takes messages; up; then it ends, by a fault or by itself, and another
 * process takes its place at once, until the run is over.
 */
import { startProcess, type TestProcess } from "../support/process.ts";

export class Worker {
  #process!: TestProcess;
  #up = Promise.withResolvers<void>();
  #over = false;

  /** @param failed gets the exit code, and what it printed on stderr, of a process that ended by itself in disorder. */
  constructor(
    readonly stage: string,
    private readonly env: Record<string, string>,
    private readonly failed: (error: Error) => void,
  ) {
    this.#keep();
  }

  /** Resolves when it takes messages; while it is being started again, when its successor does. */
  up(): Promise<void> {
    return this.#up.promise;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.child.kill(signal);
  }

  /** Sends a signal that ends it. When its successor is up, resolves with its exit code: null if it was killed. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this.#process;
    child.kill(signal);
    await child.exited;
    while (this.#process.child === child) await Bun.sleep(1);
    await this.up();
    return child.exitCode;
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.signal("SIGKILL"); // ends a frozen one, too
    await this.#process.child.exited;
  }

  async #keep(): Promise<void> {
    while (!this.#over) {
      const started = startProcess("tests/chaos/stage.ts", this.env, [this.stage]);
      this.#process = started;
      const taking = started.line("taking messages").then(
        () => this.#up.resolve(),
        () => {}, // ended before that
      );
      await started.child.exited;
      await taking;
      const { exitCode, signalCode } = started.child;
      if (!signalCode && exitCode !== 0)
        this.failed(new Error(`a ${this.stage} ended with exit code ${exitCode}: ${started.stderr()}`));
      this.#up.resolve();
      this.#up = Promise.withResolvers();
    }
  }
}

/** `each` workers of every stage. */
export function startWorkers(
  env: Record<string, string>,
  each: number,
  failed: (error: Error) => void,
): Worker[] {
  return ["encoder", "retriever", "llm"].flatMap((stage) =>
    Array.from({ length: each }, () => new Worker(stage, env, failed)),
  );
}
