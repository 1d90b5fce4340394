/** A process of a contender: what the bench asks of it over IPC, and the other end of that. */
import type { Subprocess } from "bun";

export interface Run {
  readonly jobs: number;
  readonly in_flight: number;
}

/** CPU time since the process started, user and system, all threads, ms. */
type Request = { readonly kind: "cpu" } | ({ readonly kind: "run" } & Run);
type Reply = { readonly value: unknown } | { readonly error: string } | "ready";

/** Answers the bench; the process ends with it. */
export function serve({ run }: { run?: (order: Run) => Promise<number[]> }): void {
  const send = (reply: Reply) => process.send!(reply);
  process.on("disconnect", () => process.exit(0));
  process.on("message", async (request: Request) => {
    try {
      send({ value: request.kind === "cpu" ? cpu_ms() : await run!(request) });
    } catch (error) {
      send({ error: String(error) });
    }
  });
  send("ready");
}

function cpu_ms(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export class Member {
  readonly #child: Subprocess;
  readonly ready: Promise<unknown>;
  #answer = Promise.withResolvers<unknown>();

  constructor(path: string, args: readonly string[]) {
    this.ready = this.#answer.promise;
    this.#child = Bun.spawn([process.execPath, path, ...args], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      ipc: (reply: Reply) => {
        if (reply === "ready") this.#answer.resolve(reply);
        else if ("error" in reply) this.#answer.reject(new Error(reply.error));
        else this.#answer.resolve(reply.value);
      },
      onExit: (_child, code) => this.#answer.reject(new Error(`${path} ${args.join(" ")} ended: ${code}`)),
    });
    this.#answer.promise.catch(() => {}); // whoever asks hears of it
  }

  cpu(): Promise<number> {
    return this.#ask({ kind: "cpu" }) as Promise<number>;
  }

  run(order: Run): Promise<number[]> {
    return this.#ask({ kind: "run", ...order }) as Promise<number[]>;
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  /** One at a time. */
  #ask(request: Request): Promise<unknown> {
    this.#answer = Promise.withResolvers();
    this.#answer.promise.catch(() => {});
    this.#child.send(request);
    return this.#answer.promise;
  }
}
