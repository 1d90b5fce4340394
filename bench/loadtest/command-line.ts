/** What the command line asks for, checked. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { Ramp, Spacing } from "./arrivals.ts";
import { EXIT } from "./exit-code.ts";
import { type Flag, type FlagName, flags } from "./flags.ts";
import { parseDuration, parseRate, parseShare } from "./quantity.ts";
import { loadTestSettings } from "./settings.ts";
import { parseSlo, type Slo } from "./slo.ts";

export interface CommandLine {
  readonly mode: "run" | "sweep" | "calibrate";
  /** Print the report as one JSON object. */
  readonly json: boolean;
  /** File to write the HTML report to. */
  readonly report?: string;
  readonly key?: string;
  readonly stream: boolean;
  readonly slo?: Slo;
  /** Requests per second: of the run, before the first stage, or at the sweep's first step. */
  readonly rate?: number;
  readonly spacing: Spacing;
  readonly duration_ms?: number;
  readonly stages?: readonly Ramp[];
  readonly abort_share: number;
  readonly cross_check: boolean;
}

/** A command line that makes no sense; the message says what would. */
export class UsageError extends Error {
  override name = "UsageError";
}

type Given = { readonly [N in FlagName]?: string | true };

const MOST_PER_SECOND = 100_000;

/** Reads the flags; `--help` ends the process with code 0, what makes no sense with one line and code 2. */
export function commandLineOrExit(argv: readonly string[]): CommandLine {
  try {
    const command = parseCommandLine(argv);
    if (command !== "help") return command;
    console.log(help());
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(EXIT.usage);
  }
}

/** @throws UsageError */
export function parseCommandLine(argv: readonly string[]): CommandLine | "help" {
  const given = readFlags(argv);
  return given.help ? "help" : readCommandLine(given);
}

function readFlags(argv: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries<Flag>(flags).map(([name, { takes }]) => [
      name,
      { type: takes ? "string" : "boolean" } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const given: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`${token.value} is not a flag: see --help`);
    if (token.kind !== "option") continue;
    const { rawName, name, value } = token;
    if (!Object.hasOwn(flags, name))
      throw new UsageError(`${rawName} is not a flag of the load test: see --help`);
    const { takes }: Flag = flags[name as FlagName];
    if (name in given) throw new UsageError(`${rawName} is given twice`);
    if (takes && !value) throw new UsageError(`${rawName} takes ${takes}: see --help`);
    if (!takes && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    given[name] = value ?? true;
  }
  return given;
}

function readCommandLine(given: Given): CommandLine {
  const slo = read(given, "slo", parseSlo);
  const rate = read(given, "rate", (text) => within(parseRate(text), "a rate above 0, as 50 or 0.5"));
  const stages = read(given, "stages", (text) => parseStages(text, rate ?? 0));
  const command: CommandLine = {
    mode: given.calibrate ? "calibrate" : given.sweep ? "sweep" : "run",
    json: given.json === true,
    stream: given.stream === true,
    spacing: read(given, "arrivals", parseSpacing) ?? "poisson",
    abort_share: read(given, "abort", (text) => orThrow(parseShare(text), "a share, as 20%")) ?? 0,
    cross_check: given["cross-check"] === true,
    report: read(given, "report", writableFile),
    key: read(given, "key", parseKey),
    duration_ms: read(given, "duration", (text) => orThrow(parseDuration(text), "a time, as 30s or 2m")),
    slo,
    rate,
    stages,
  };
  refuseNonsense(given, command);
  return command;
}

function read<T>(given: Given, name: FlagName, parse: (text: string) => T): T | undefined {
  const text = given[name];
  if (typeof text !== "string") return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`--${name} ${text}: ${(error as Error).message}`);
  }
}

function orThrow<T>(value: T | undefined, wanted: string): T {
  if (value === undefined) throw new Error(`takes ${wanted}`);
  return value;
}

function within(rate: number | undefined, wanted: string): number {
  if (!rate || rate > MOST_PER_SECOND) throw new Error(`takes ${wanted}, at most ${MOST_PER_SECOND}`);
  return rate;
}

function parseSpacing(text: string): Spacing {
  if (text !== "poisson" && text !== "constant") throw new Error("takes poisson or constant");
  return text;
}

function parseKey(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error("takes a key of printable ASCII without spaces");
  return text;
}

/** Told before the run: after it, its report would be lost. */
function writableFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error("is a folder; name a file");
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new Error(`takes a file in a folder that can be written, which ${dirname(path)} cannot`);
  }
  return path;
}

function parseStages(text: string, first: number): Ramp[] {
  let from = first;
  const ramps = text.split(",").map((part) => {
    const [time = "", target = "", ...more] = part.split(":");
    const duration_ms = parseDuration(time);
    const to = parseRate(target);
    if (duration_ms === undefined || to === undefined || to > MOST_PER_SECOND || more.length > 0)
      throw new Error(`"${part}" is not TIME:N, as 10s:50`);
    const ramp = { duration_ms, from, to };
    from = to;
    return ramp;
  });
  if (ramps.every((ramp) => ramp.from === 0 && ramp.to === 0))
    throw new Error("sends nothing: every rate is 0");
  return ramps;
}

/** Flags that say nothing together: refused, not passed over. */
function refuseNonsense(given: Given, { mode, stream, slo, rate, stages }: CommandLine): void {
  const clash = (flag: FlagName, ...others: FlagName[]) => {
    const other = others.find((name) => given[name] !== undefined);
    if (given[flag] !== undefined && other)
      throw new UsageError(`--${flag} and --${other} make no sense together`);
  };
  clash(
    "calibrate",
    ...(Object.keys(flags) as FlagName[]).filter((name) => !["calibrate", "json", "duration"].includes(name)),
  );
  clash("sweep", "stages", "abort", "cross-check");
  clash("stages", "duration");
  const open = rate !== undefined || stages !== undefined || mode === "sweep";
  if (given.arrivals && !open) throw new UsageError("--arrivals needs --rate, --stages or --sweep");
  if (mode === "sweep" && !slo) throw new UsageError("--sweep needs an --slo to keep, as --slo p99=2000ms");
  const tokens = slo?.objectives.find(({ measure }) => measure !== "latency");
  if (tokens && !stream)
    throw new UsageError(`--slo ${tokens.name} needs --stream: a plain answer has no tokens`);
}

function help(): string {
  const described = Object.entries<Flag>(flags).map(([name, { takes, help }]) =>
    [`  --${name}${takes ? ` ${takes}` : ""}`, ...help.split("\n").map((line) => `      ${line}`)].join("\n"),
  );
  const settings = Object.entries(loadTestSettings.properties).map(
    ([name, { description, default: value }]) => `  ${name} (${value ?? ""})\n      ${description}`,
  );
  return `Usage: bun loadtest.ts [FLAG...]

Sends questions to a running gateway, a fixed number in flight or at a rate, and reports how it did.

Flags:
${described.join("\n")}

Environment, with its defaults:
${settings.join("\n")}

Exit code:
  0    passed: the SLO was kept, or without one all were answered
  1    failed: it was not, or a counter leaked, or an answer was for another question, or nobody listens
  2    a setting or a flag makes no sense
  3    no verdict: the generator lagged (LT_MAX_LAG_MS), or what was to be checked could not be
  130  Ctrl-C; what was done by then is reported`;
}
