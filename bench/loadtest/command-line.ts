/** The flags of `bun loadtest.ts`. */
import { loadTestSettings } from "./settings.ts";

export interface CommandLine {
  /** Print the report as one JSON object. */
  readonly json: boolean;
}

/** Reads the flags; `--help` ends the process with code 0, an unknown flag with one line and code 2. */
export function commandLineOrExit(flags: readonly string[]): CommandLine {
  const unknown = flags.find((flag) => flag !== "--json" && flag !== "--help");
  if (unknown !== undefined) {
    console.error(`${unknown} is not a flag of the load test: it takes --json and --help`);
    process.exit(2);
  }
  if (flags.includes("--help")) {
    console.log(help());
    process.exit(0);
  }
  return { json: flags.includes("--json") };
}

function help(): string {
  const settings = Object.entries(loadTestSettings.properties).map(
    ([name, { description, default: value }]) => `  ${name} (${value})\n      ${description}`,
  );
  return `Usage: bun loadtest.ts [--json]

Sends questions to a running gateway, a fixed number in flight, and reports how it did.

  --json  print the report as one JSON object on stdout
  --help  print this

Environment, with its defaults:
${settings.join("\n")}

Exit code: 0 if all were answered, 1 if any was not, 2 for a bad setting or flag, 130 after Ctrl-C`;
}
