/**
 * A program of a run, and its supervisor: whatever ends is started again.
 *
 * Its life: starting, until it says that it is ready; up; then it ends, by a fault or by itself, and another
 * process takes its place at once, until the run is over.
 */
import { startProcess, type TestProcess } from "../support/process.ts";

export interface ProgramOptions {
  /** What it is called in failures. */
  readonly name: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env: Record<string, string>;
  /** In the line by which it says that it is ready. */
  readonly ready: string;
  /** Gets the exit code, and what it printed on stderr, of a process that ended by itself in disorder. */
  readonly failed: (error: Error) => void;
}

export class Program {
  #process!: TestProcess;
  #up = Promise.withResolvers<void>();
  #over = false;
  /** The line by which the process that is up, or was last, said so. */
  announced = "";
  /** How many of its processes have ended. */
  ended = 0;

  constructor(private readonly options: ProgramOptions) {
    this.#keep();
  }

  get name(): string {
    return this.options.name;
  }

  /** Resolves when it is ready; while it is being started again, when its successor is. */
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
    const { name, path, args, env, ready, failed } = this.options;
    while (!this.#over) {
      const started = startProcess(path, env, args);
      this.#process = started;
      const announcing = started.line(ready).then(
        (line) => {
          this.announced = line;
          this.#up.resolve();
        },
        () => {}, // ended before that
      );
      await started.child.exited;
      this.ended++;
      await announcing;
      const { exitCode, signalCode } = started.child;
      if (!signalCode && exitCode !== 0)
        failed(new Error(`a ${name} ended with exit code ${exitCode}: ${started.stderr()}`));
      this.#up.resolve();
      this.#up = Promise.withResolvers();
    }
  }
}
