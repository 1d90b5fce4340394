/** The flags of `bun run chaos`. */
import { parseArgs } from "node:util";
import { scenarios } from "./scenarios.ts";

export interface CommandLine {
  readonly names: readonly string[];
  /** For each scenario; without it each has its own number. */
  readonly jobs?: number;
  readonly seed: number;
  readonly json: boolean;
}

const USAGE = `Usage: bun run chaos [--scenario NAME]... [--jobs N] [--seed N] [--json]

Sends jobs down a line of its own, injects faults, and closes the books: nothing accepted may be lost, answered
twice or left lying or counted anywhere. Needs Redis 7 or newer.

  --scenario NAME  one of ${Object.keys(scenarios).join(", ")}; may be given again (all)
  --jobs N         how many jobs, with faults in proportion (each scenario's own number)
  --seed N         makes the same choices as an earlier run with that seed (random)
  --json           prints one JSON array of rows in place of the table
  --help           prints this

Exit code: 0 if the promise was kept, 1 if it was not or a run could not be made, 2 for a bad flag`;

/** Reads the flags; `--help` ends the process with code 0, a bad flag with one line and code 2. */
export function commandLineOrExit(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        scenario: { type: "string", multiple: true, default: Object.keys(scenarios) },
        jobs: { type: "string" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const unknown = values.scenario.find((name) => !(name in scenarios));
    if (unknown !== undefined)
      throw new Error(`there is no scenario "${unknown}": there are ${Object.keys(scenarios).join(", ")}`);
    return {
      names: values.scenario,
      jobs: values.jobs === undefined ? undefined : wholeNumber("--jobs", values.jobs, 1),
      seed: wholeNumber("--seed", values.seed, 0),
      json: values.json,
    };
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`${flag} is "${text}": give a whole number from ${least} on`);
}
