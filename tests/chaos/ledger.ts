/**
 * What took effect in Redis, read from its append-only file: the one witness that no lost connection, lost
 * notice or restart can deceive. Scripts are in it as the writes that they made.
 */
import { Glob } from "bun";
import { queues } from "#contracts";
import { markerIn } from "./question.ts";

export interface Ledger {
  /** Every job that entered the line, as often as it did. */
  readonly accepted: readonly AcceptedJob[];
  /** Per job, how often a completion was written. */
  readonly completions: ReadonlyMap<string, number>;
  /** How often a delivery was charged to a message, or a message put off to be tried again. */
  readonly charged: number;
}

export interface AcceptedJob {
  readonly job_id: string;
  /** Of its question. */
  readonly marker: string;
}

/** The first queue and its tenants' lanes; what moves between them is not pushed. */
const entry = new RegExp(`^${queues.encoderIn.name}(:lane:|$)`);
const COMPLETION = "job:completion:";

/** @param directory Redis's `dir`; files that were rewritten must have been kept (`aof-disable-auto-gc`). */
export async function readLedger(directory: string): Promise<Ledger> {
  const accepted: AcceptedJob[] = [];
  const completions = new Map<string, number>();
  let charged = 0;
  const count = ({ name, key, value }: Command) => {
    if (name === "SET" && key.startsWith(COMPLETION)) {
      const job_id = key.slice(COMPLETION.length);
      completions.set(job_id, (completions.get(job_id) ?? 0) + 1);
    } else if (name === "LPUSH" && entry.test(key)) {
      const job_id = /"job_id":"([^"]*)"/.exec(value())?.[1] ?? "";
      accepted.push({ job_id, marker: markerIn(value()) ?? "" });
    } else if (name === "HINCRBY" && key.endsWith(":deliveries")) charged++;
    else if (name === "ZADD" && key.endsWith(":delayed")) charged++;
  };
  // Beside them lie bases, which hold what Redis held when it was rewritten: no writes.
  for (const file of new Glob("**/*.aof").scanSync({ cwd: directory, absolute: true })) {
    let script: Command[] | undefined;
    for await (const command of commands(Bun.file(file).stream())) {
      // A Redis that is killed as it writes a script's effects leaves a MULTI without its EXEC: nothing of it took
      // effect. All that counts here comes from scripts of several writes.
      if (command.name === "MULTI") script = [];
      else if (command.name === "EXEC") {
        for (const written of script ?? []) count(written);
        script = undefined;
      } else if (script) script.push(command);
      else count(command);
    }
  }
  return { accepted, completions, charged };
}

interface Command {
  readonly name: string;
  /** Its first argument. */
  readonly key: string;
  /** Its second argument, read when asked for. */
  readonly value: () => string;
}

/** In Redis's protocol: `*2 $4 LPOP $1 q`, on lines of their own. */
async function* commands(stream: ReadableStream<Uint8Array>): AsyncGenerator<Command> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of stream) {
    const bytes = Buffer.concat([rest, part]);
    let at = 0;
    for (let one = commandAt(bytes, at); one; one = commandAt(bytes, at)) {
      const [name, key, value] = one.words;
      yield {
        name: name?.toString().toUpperCase() ?? "",
        key: key?.toString() ?? "",
        value: () => `${value}`,
      };
      at = one.end;
    }
    rest = bytes.subarray(at);
  }
}

/** Undefined where the command is not complete. Its third argument and those behind it are passed over. */
function commandAt(bytes: Buffer, start: number): { words: Buffer[]; end: number } | undefined {
  const head = numberAt(bytes, start);
  if (!head) return undefined;
  const words: Buffer[] = [];
  let at = head.end;
  for (let i = 0; i < head.value; i++) {
    const length = numberAt(bytes, at);
    if (!length) return undefined;
    const end = length.end + length.value;
    if (end + 2 > bytes.length) return undefined;
    if (i < 3) words.push(bytes.subarray(length.end, end));
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
