/** `bun run simulate`: what each policy would do, without a replica or a Redis. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { POLICIES } from "#balancer";
import { leave } from "../scripts/command-line.ts";
import { type Replay, replayOf } from "./replay.ts";
import { goodput, reportText } from "./report.ts";
import { SCENARIOS, type Scenario } from "./scenario.ts";
import { type Result, type Rival, simulate } from "./simulation.ts";

const USAGE = `Usage: bun run simulate [--scenario NAME] [--policy NAME|all] [options]
       bun run simulate --replay FILE [--policy NAME|all] [options]

Scenarios:
${Object.entries(SCENARIOS)
  .map(([name, { about }]) => `  ${name.padEnd(14)}${about}`)
  .join("\n")}

  --scenario NAME  one of these, or several with commas; all but \`thousand\` if not given
  --policy NAME    ${POLICIES.join(", ")}; \`proxy\` (least connections with a limit and a
                   queue, and active checks, as a proxy does it), \`proxy-retries\` (failed calls are repeated
                   elsewhere, too); several with commas; \`all\`, the default
  --limit N        most calls at once to one replica; 0 adapts it; as many as it serves at once if not given
  --queries N      how many, in place of the scenario's own number
  --load N         times the scenario's load: 1.2
  --replay FILE    a decision log, in place of a scenario: what each policy would have done
  --seed N         the same seed gives the same run; 1 if not given
  --json           results as JSON
  --help           show this
`;

const PROXIES = ["proxy", "proxy-retries"] as const;
const isProxy = (name: string): name is (typeof PROXIES)[number] => name.startsWith("proxy");

const command = readCommand();
const jobs: [string, Scenario, Replay?][] = command.replay
  ? [["replay", command.replay.scenario, command.replay]]
  : command.scenarios.map((name) => [name, SCENARIOS[name]!]);
const json: object[] = [];
for (const [name, given, replay] of jobs) {
  const scenario = adjusted(given);
  const results = new Map<string, Result>();
  for (const policy of command.policies) {
    results.set(
      policy,
      await simulate(scenario, isProxy(policy) ? proxy(scenario, policy) : policy, command.seed),
    );
  }
  if (command.json) {
    for (const [policy, result] of results) {
      json.push({ scenario: name, policy, seed: command.seed, goodput: goodput(result), ...result });
    }
    continue;
  }
  if (replay) {
    const shares = replay.urls.map((url, i) => `${url} ${(100 * replay.shares[i]!).toFixed(1)} %`);
    console.log(`logged: ${shares.join(", ")}`);
  }
  console.log(`${reportText(name, scenario, results)}\n`);
}
if (command.json) console.log(JSON.stringify(json, null, 2));

function adjusted(scenario: Scenario): Scenario {
  const limit = command.limit ?? Math.min(scenario.replicas[0]!.slots, scenario.settings.limit);
  const { arrivals } = scenario;
  return {
    ...scenario,
    queries: command.queries ?? scenario.queries,
    settings: { ...scenario.settings, limit },
    arrivals: "per_ms" in arrivals ? { per_ms: arrivals.per_ms * command.load } : arrivals,
  };
}

/** As HAProxy is commonly set: \`leastconn\`, \`maxconn\`, \`option redispatch\`, \`check inter 1s fall 3 rise 2\`. */
function proxy({ replicas }: Scenario, name: (typeof PROXIES)[number]): Rival {
  return {
    maxconn: replicas[0]!.slots,
    redispatch: true,
    retries: name === "proxy-retries",
    interval_ms: 1_000,
    fall: 3,
    rise: 2,
  };
}

function readCommand() {
  try {
    const { values } = parseArgs({
      options: {
        scenario: { type: "string" },
        policy: { type: "string", default: "all" },
        limit: { type: "string" },
        queries: { type: "string" },
        load: { type: "string", default: "1" },
        replay: { type: "string" },
        seed: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const replay = values.replay === undefined ? undefined : readReplay(values.replay);
    const scenarios =
      values.scenario?.split(",") ?? Object.keys(SCENARIOS).filter((name) => name !== "thousand");
    for (const name of scenarios) {
      if (!(name in SCENARIOS)) leave(2, `there is no scenario ${name}: --help lists them`);
    }
    const known = replay ? [...POLICIES] : [...PROXIES, ...POLICIES];
    const policies = known.filter(
      (name) => values.policy === "all" || values.policy.split(",").includes(name),
    );
    if (policies.length === 0) leave(2, `there is no policy ${values.policy}: --help lists them`);
    return {
      scenarios,
      policies,
      replay,
      limit: values.limit === undefined ? undefined : number("limit", values.limit),
      queries: values.queries === undefined ? undefined : Math.max(1, number("queries", values.queries)),
      load: number("load", values.load),
      seed: number("seed", values.seed),
      json: values.json,
    };
  } catch (error) {
    leave(2, (error as Error).message);
  }
}

function readReplay(path: string): Replay {
  try {
    return replayOf(readFileSync(path, "utf8"));
  } catch (error) {
    leave(2, `${path} cannot be replayed: ${(error as Error).message}`);
  }
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) leave(2, `--${name} ${text} is not a number`);
  return value;
}
