/**
 * Keeps programs running: starts them, restarts what crashes, stops what it started.
 *
 * A program's life:
 * 1. starting: until it prints a line that its `ready` accepts.
 * 2. running. If it ends, it is started again: at once, then ever later while it keeps ending soon.
 * 3. stopping: SIGTERM, and SIGKILL for what has not ended by then.
 *
 * Each has a process group of its own, so that Ctrl-C reaches the supervisor alone, and an IPC channel by which
 * it notices if the supervisor is killed.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";

export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  /** Whether a line of its output says that it is up. */
  readonly ready: (line: string) => boolean;
}

const FIRST_RESTART_MS = 250;
const LAST_RESTART_MS = 10_000;
const CAME_UP_AFTER_MS = 10_000;

export class Supervisor {
  readonly #running = new Map<string, Subprocess>();
  #stopping = false;

  /** @param logs folder for each program's output; `show` gets the lines that a reader should see. */
  constructor(
    private readonly logs: string,
    private readonly show: (program: string, line: string) => void,
  ) {
    mkdirSync(logs, { recursive: true });
  }

  /** Resolves when the program is up; rejects if it ends before that. */
  start(program: Program): Promise<void> {
    return new Promise((resolve, reject) => this.#keep(program, resolve, reject));
  }

  /** Stops all programs but those named, and waits for them: `grace_ms`, then they are killed. */
  async stop(grace_ms: number, except: readonly string[] = []): Promise<void> {
    this.#stopping = true;
    const programs = [...this.#running].filter(([name]) => !except.includes(name)).map(([, child]) => child);
    for (const child of programs) child.kill("SIGTERM");
    const late = setTimeout(() => {
      for (const child of programs) child.kill("SIGKILL");
    }, grace_ms);
    await Promise.all(programs.map((child) => child.exited));
    clearTimeout(late);
  }

  async #keep(program: Program, up: () => void, failed: (error: Error) => void): Promise<void> {
    let restart_ms = FIRST_RESTART_MS;
    let came_up = false;
    while (!this.#stopping) {
      const started = performance.now();
      const child = this.#spawn(program);
      this.#running.set(program.name, child);
      await this.#read(program, child, () => {
        came_up = true;
        up();
      });
      const code = await child.exited;
      this.#running.delete(program.name);
      if (this.#stopping) return;
      if (!came_up)
        return failed(new Error(`${program.name} ended with exit code ${code}: see ${this.#log(program)}`));
      if (performance.now() - started > CAME_UP_AFTER_MS) restart_ms = FIRST_RESTART_MS;
      this.show(program.name, `ended with ${child.signalCode ?? `exit code ${code}`}: starting it again`);
      await Bun.sleep(restart_ms);
      restart_ms = Math.min(restart_ms * 2, LAST_RESTART_MS);
    }
  }

  #spawn(program: Program): Subprocess<"ignore", "pipe", "pipe"> {
    return Bun.spawn([...program.command], {
      env: { ...process.env, ...program.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
      ipc() {},
    });
  }

  async #read(program: Program, child: Subprocess<"ignore", "pipe", "pipe">, up: () => void): Promise<void> {
    const each = async (stream: ReadableStream<Uint8Array>, on_line: (line: string) => void) => {
      for await (const line of lines(stream)) {
        appendFileSync(this.#log(program), `${line}\n`);
        on_line(line);
      }
    };
    await Promise.all([
      each(child.stdout, (line) => {
        if (program.ready(line)) up();
        const told = trouble(line);
        if (told) this.show(program.name, told);
      }),
      each(child.stderr, (line) => this.show(program.name, line)),
    ]);
  }

  #log(program: Program): string {
    return join(this.logs, `${program.name}.log`);
  }
}

/** What a reader should see of a JSON log line: the message of a warning or worse. */
function trouble(line: string): string | undefined {
  try {
    const { level, msg, err } = JSON.parse(line);
    if (!(level >= 40)) return undefined;
    return err?.message ? `${msg}: ${err.message}` : msg;
  } catch {
    return undefined;
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of stream) {
    const pieces = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    yield* pieces;
  }
  if (rest) yield rest;
}
