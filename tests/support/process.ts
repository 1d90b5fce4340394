/** Programs of the project as real processes. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";

/** Where there is nothing: no test reads what the checkout's own `.data` happens to hold. */
const NO_DATA = join(tmpdir(), `ragline-no-data-${process.pid}`);

export interface TestProcess {
  readonly child: Subprocess<"ignore", "pipe", "pipe">;
  /** The first line on stdout, past or to come, that holds `text`. */
  line(text: string): Promise<string>;
  /** What it has printed on stdout so far. */
  stdout(): string;
  /** What it has printed on stderr so far. */
  stderr(): string;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number>;
}

/** @param launcher a command to put before it, such as `taskset -c 0`. */
export function startProcess(
  path: string,
  env: Record<string, string>,
  args: readonly string[] = [],
  launcher: readonly string[] = [],
): TestProcess {
  const child = Bun.spawn([...launcher, process.execPath, path, ...args], {
    env: { ...process.env, LOG_LEVEL: "info", DATA_DIR: NO_DATA, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ipc() {}, // its end tells the program to stop, if the tests are killed
  });
  const out = new LineLog(child.stdout);
  const errors = new LineLog(child.stderr);
  return {
    child,
    line: (text) => out.find(text),
    stdout: () => out.lines.join("\n"),
    stderr: () => errors.lines.join("\n"),
    async stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
  };
}

/** The first line of a stream that holds `text`; the rest of the stream is read and dropped. */
export function waitForLine(stream: ReadableStream<Uint8Array>, text: string): Promise<string> {
  return new LineLog(stream).find(text);
}

class LineLog {
  readonly lines: string[] = [];
  readonly #wanted: { text: string; resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#read(stream);
  }

  find(text: string): Promise<string> {
    const found = this.lines.find((line) => line.includes(text));
    if (found !== undefined) return Promise.resolve(found);
    if (this.#ended) return Promise.reject(this.#missing(text));
    return new Promise((resolve, reject) => this.#wanted.push({ text, resolve, reject }));
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of stream) {
      const pieces = (rest + decoder.decode(part, { stream: true })).split("\n");
      rest = pieces.pop() ?? "";
      for (const line of pieces) this.#add(line);
    }
    if (rest) this.#add(rest);
    this.#ended = true;
    for (const { text, reject } of this.#wanted) reject(this.#missing(text));
  }

  #add(line: string): void {
    this.lines.push(line);
    for (const wanted of this.#wanted.splice(0)) {
      if (line.includes(wanted.text)) wanted.resolve(line);
      else this.#wanted.push(wanted);
    }
  }

  #missing(text: string): Error {
    return new Error(`the process ended without printing "${text}"; it printed:\n${this.lines.join("\n")}`);
  }
}
