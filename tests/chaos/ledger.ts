/**
 * What took effect in Redis, read from its append-only file: the one witness that no lost connection, lost
 * notice or restart can deceive. Scripts are in it as the writes that they made.
 */
import { Glob } from "bun";

export interface Ledger {
  /** Per job, how often a completion was written. */
  readonly completions: ReadonlyMap<string, number>;
  /** How often a delivery was charged to a message. */
  readonly charged: number;
}

const COMPLETION = "job:completion:";

/** @param directory Redis's `dir`; the file must never have been rewritten. */
export async function readLedger(directory: string): Promise<Ledger> {
  const completions = new Map<string, number>();
  let charged = 0;
  // Before Redis 7 there is one file; since then it is in a folder, beside an (empty) base.
  const files = [...new Glob("**/*.aof").scanSync({ cwd: directory, absolute: true })];
  const count = (command: string, key: string) => {
    if (command === "SET" && key.startsWith(COMPLETION)) {
      const job_id = key.slice(COMPLETION.length);
      completions.set(job_id, (completions.get(job_id) ?? 0) + 1);
    } else if (command === "HINCRBY" && key.endsWith(":deliveries")) charged++;
  };
  for (const file of files) {
    let script: [command: string, key: string][] | undefined;
    for await (const [command, key] of commands(Bun.file(file).stream())) {
      // Where Redis was killed as it wrote a script's effects, a MULTI without its EXEC may stay in the file:
      // nothing of it took effect. Both kinds of writes that count come from scripts of several.
      if (command === "MULTI") script = [];
      else if (command === "EXEC") {
        for (const [written, to] of script ?? []) count(written, to);
        script = undefined;
      } else if (script) script.push([command, key]);
      else count(command, key);
    }
  }
  return { completions, charged };
}

/** Name and first argument of each command, in Redis's protocol: `*2 $4 LPOP $1 q`, on lines of their own. */
async function* commands(stream: ReadableStream<Uint8Array>): AsyncGenerator<[command: string, key: string]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    const bytes = Buffer.concat([rest, part]);
    let at = 0;
    for (let one = commandAt(bytes, at); one; one = commandAt(bytes, at)) {
      yield [one.words[0]?.toUpperCase() ?? "", one.words[1] ?? ""];
      at = one.end;
    }
    rest = bytes.subarray(at);
  }
}

/** Undefined where the command is not complete. Its third argument and those behind it are passed over. */
function commandAt(bytes: Buffer, start: number): { words: string[]; end: number } | undefined {
  const head = numberAt(bytes, start);
  if (!head) return undefined;
  const words: string[] = [];
  let at = head.end;
  for (let i = 0; i < head.value; i++) {
    const length = numberAt(bytes, at);
    if (!length) return undefined;
    const end = length.end + length.value;
    if (end + 2 > bytes.length) return undefined;
    if (i < 2) words.push(bytes.toString("latin1", length.end, end));
    at = end + 2;
  }
  return { words, end: at };
}

/** The number behind a `*` or `$`, and where the next line begins. */
function numberAt(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  const newline = bytes.indexOf(10, start);
  if (newline === -1) return undefined;
  return { value: Number(bytes.toString("latin1", start + 1, newline - 1)), end: newline + 1 };
}
