/**
 * `bun run bench:search`: the SQLite store's search, beside a plain exact scan and sqlite-vec.
 *
 * For each number of chunks: a store is filled through its own interface, and searched by a process that does
 * nothing else; then, while another process commits to it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureVectorScan } from "../../scripts/build-vector-scan.ts";
import { type Figures, printFigures } from "./figures.ts";

const USAGE = `Usage: bun run bench:search [--chunks 1000,10000,100000] [--json]

  --chunks  sizes of the store, with commas between; 500000 takes some ten minutes and 4 GB of memory
  --json    one JSON object on stdout in place of the table
`;

const { sizes, json } = readCommand();
await ensureVectorScan();
const folder = mkdtempSync(join(tmpdir(), "ragline-bench-search-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const figures: Figures[] = [];
for (const chunks of sizes) {
  const path = join(folder, `${chunks}.sqlite`);
  await run("filler.ts", path, chunks);
  const search = JSON.parse(await run("searcher.ts", path, chunks));
  const commits = JSON.parse(await run("under-commits.ts", path, chunks));
  figures.push({ chunks, ...search, commits });
  rmSync(path);
}
if (json) console.log(JSON.stringify({ sizes: figures }));
else printFigures(figures);

async function run(program: string, path: string, chunks: number): Promise<string> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, program), path, `${chunks}`], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const out = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${program} ended with ${child.exitCode}`);
  return out;
}

function readCommand(): { sizes: number[]; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        chunks: { type: "string", default: "1000,10000,100000" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const sizes = values.chunks.split(",").map(Number);
    if (!sizes.every((size) => Number.isInteger(size) && size >= 300 && size <= 2_000_000))
      throw new TypeError(`--chunks is ${values.chunks}: numbers from 300 to 2,000,000`);
    return { sizes, json: values.json };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
