/**
 * `bun run bench:encoder`: this encoder beside the library's own pipeline and another engine.
 * `bun run bench:encoder memory`: its memory over 20,000 texts of mixed lengths.
 * `bun run bench:encoder documents`: what a question waits while documents are embedded beside it.
 */
import { parseArgs } from "node:util";
import { ensureModel } from "#embedding";
import { benchBesideDocuments } from "./beside-documents.ts";
import { benchMemory } from "./memory.ts";
import { benchSpeed } from "./speed.ts";

const USAGE = `Usage: bun run bench:encoder [speed | memory | documents] [--rounds N] [--texts N] [--json]

  --rounds  interleaved rounds (5)
  --texts   texts of the mixed load (64), or of the memory's (20000)
  --json    print one object on stdout`;

function commandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { rounds: { type: "string" }, texts: { type: "string" }, json: { type: "boolean" } },
    });
    const what = positionals[0] ?? "speed";
    const rounds = Number(values.rounds ?? 5);
    const texts = Number(values.texts ?? (what === "memory" ? 20_000 : 64));
    if (positionals.length > 1 || !["speed", "memory", "documents"].includes(what))
      throw new Error(`what is ${what}?`);
    if (!(rounds >= 1 && texts >= 1)) throw new Error("--rounds and --texts are numbers from 1");
    return { what, options: { rounds, texts, json: values.json ?? false } };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { what, options } = commandLine();
await ensureModel({ directory: ".models" });
if (what === "memory") await benchMemory(options);
else if (what === "documents") await benchBesideDocuments(options);
else await benchSpeed(options);
process.exit(0);
