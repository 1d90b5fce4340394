/** The other end of `engine-process.ts`. */
import { join } from "node:path";
import type { Turn } from "./engine-process.ts";
import type { EngineName } from "./engines.ts";

export class EngineClient {
  #answered: (answer: unknown) => void = () => {};
  readonly #child: Bun.Subprocess;
  readonly #ready: Promise<unknown>;

  constructor(name: EngineName, redis_url: string) {
    this.#ready = this.#answer();
    this.#child = Bun.spawn([process.execPath, join(import.meta.dir, "engine-process.ts"), name, redis_url], {
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      ipc: (answer) => this.#answered(answer),
    });
  }

  /** Embeds `texts`, and how that went. */
  async turn(texts: readonly string[]): Promise<Turn> {
    await this.#ready;
    const answer = this.#answer();
    this.#child.send(texts);
    return (await answer) as Turn;
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      // Set once the child is there.
      queueMicrotask(() =>
        this.#child.exited.then(() => reject(new Error("an engine ended before its time"))),
      );
    });
  }
}
