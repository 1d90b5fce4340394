/** `bun run chaos`: every scenario, or those named, one after the other, as rows of one table. */
import { commandLineOrExit } from "./command-line.ts";
import { run } from "./run.ts";
import { resized, scenarios } from "./scenarios.ts";
import { countsLine, type Row, tableHead, tableRow } from "./table.ts";

const { names, jobs, seed, json } = commandLineOrExit(process.argv.slice(2));
const interrupted = new AbortController();
for (const event of ["SIGINT", "SIGTERM", "disconnect"]) process.on(event, () => interrupted.abort());

const rows: Row[] = [];
let kept = true;
if (!json) console.log(tableHead());
for (const name of names) {
  if (interrupted.signal.aborted) break;
  const scenario = jobs === undefined ? scenarios[name]! : resized(scenarios[name]!, jobs);
  try {
    const { faults, again, books, counts, problems, seconds } = await run(scenario, seed, interrupted.signal);
    const row: Row = {
      scenario: name,
      jobs: books.accepted,
      faults: faults + (scenario.poisoned ?? 0),
      answered: books.answered,
      errors: books.errors,
      dead: books.dead,
      left: books.left,
      again,
      lost: books.lost.length,
      twice: books.twice.length,
      stranded: sum(books.stranded),
      loads: sum(books.loads),
      seconds: Math.round(seconds * 10) / 10,
      seed,
      counts,
      problems,
    };
    rows.push(row);
    if (!json) console.log([tableRow(row), ...(counts ? [countsLine(counts)] : [])].join("\n"));
    if (problems.length === 0) continue;
    kept = false;
    const command = `bun run chaos --scenario ${name} --jobs ${scenario.jobs} --seed ${seed}`;
    console.error([...problems.map((problem) => `${name}: ${problem}`), `Again: ${command}`].join("\n"));
  } catch (error) {
    kept = false;
    console.error(`${name}: ${(error as Error).message}`);
  }
}
if (json) console.log(JSON.stringify(rows, null, 2));
process.exit(kept && !interrupted.signal.aborted ? 0 : 1);

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
