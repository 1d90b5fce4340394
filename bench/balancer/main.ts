/**
 * `bun run bench:balancer [--scenario NAME,...] [--policies NAME,...] [--hedge BUDGET] [--rounds N] [--seconds N] [--json]`:
 * Ragline by policy, and with hedging too where it is asked for, beside HAProxy and nginx, on real processes. One
 * contender works at a time; the others wait for questions.
 */
import { parseArgs } from "node:util";
import { DEFAULT_SETTINGS, POLICIES, type PolicyName } from "#balancer";
import { compare } from "./comparison.ts";
import { contenders, missingProxies } from "./contenders/index.ts";
import { SCENARIOS, type ScenarioName } from "./scenario.ts";
import { table } from "./table.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: Object.keys(SCENARIOS).join(",") },
    policies: { type: "string", default: `${DEFAULT_SETTINGS.policy},peak-ewma` },
    hedge: { type: "string", default: "0" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "12" },
    json: { type: "boolean", default: false },
  },
});

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function named<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name as T));
  if (unknown !== undefined)
    refuse(`--${option} has "${unknown}": there are ${known.join(", ")}, separated by commas`);
  return names as T[];
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    refuse(`--${option} is "${text}": it must be a whole number, 1 or more`);
  return number;
}

const scenarios = named("scenario", values.scenario, Object.keys(SCENARIOS) as ScenarioName[]);
const policies = named<PolicyName>("policies", values.policies, POLICIES);
const amounts = { rounds: count("rounds", values.rounds), seconds: count("seconds", values.seconds) };
const hedge = Number(values.hedge);
if (!(hedge >= 0 && hedge <= 0.5)) refuse(`--hedge is "${values.hedge}": it must be a share, 0 to 0.5`);
const missing = missingProxies();
if (missing.length > 0)
  refuse(`this compares with ${missing.join(" and ")}: install with apt-get install ${missing.join(" ")}`);

const comparisons = [];
for (const scenario of scenarios) {
  const comparison = await compare(scenario, contenders(policies, hedge), amounts);
  comparisons.push(comparison);
  if (!values.json) console.log(table(comparison));
}
if (values.json) console.log(JSON.stringify(comparisons, null, 2));
process.exit(0);
