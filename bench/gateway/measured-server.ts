/** A server in a process of its own, that tells what CPU time it took: both ends. */
import type { Subprocess } from "bun";

/** In the server's process: tells the port, then the CPU time so far (user and system, all threads, ms) when asked. */
export function serveMeasured(port: number | undefined): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send!((user + system) / 1_000);
  });
  process.send!(port);
}

export class MeasuredServer {
  readonly #child: Subprocess;
  #told = Promise.withResolvers<number>();
  readonly port: Promise<number>;

  constructor(path: string, args: readonly string[] = []) {
    this.port = this.#told.promise;
    this.#child = Bun.spawn([process.execPath, path, ...args], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      ipc: (told: number) => this.#told.resolve(told),
      onExit: (_child, code) => this.#told.reject(new Error(`${path} ended: ${code}`)),
    });
  }

  /** User and system, all threads, ms. */
  cpu(): Promise<number> {
    this.#told = Promise.withResolvers();
    this.#child.send("cpu");
    return this.#told.promise;
  }

  async stop(): Promise<void> {
    this.#told.promise.catch(() => {});
    this.#child.kill();
    await this.#child.exited;
  }
}
