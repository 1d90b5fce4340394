/** `bun run replicas`: the LLM replicas as the balancer knows them, on the command line. */
import { parseArgs } from "node:util";
import { Type } from "@sinclair/typebox";
import { Balancer, type ReplicaView } from "#balancer";
import { redisNames } from "#contracts";
import { balancerSettings, configOrExit, llmReplicaSettings, readReplicas, redisSettings } from "#runtime";
import { columns, connectOrExit, leave } from "./command-line.ts";

const CHANGES = { add: "active", drain: "draining", remove: "removed" } as const;

const USAGE = `Usage: bun run replicas [list]
       bun run replicas add|drain|remove URL

  list    a line for each replica: jobs counted there (load), requests that it works on (running) of those
          it may have (limit), what a request is expected to take, failures of late, circuit breaker, and
          whether it hangs
  add     takes a replica into use, with a slow start; also one that was drained or removed
  drain   sends nothing more to it; what it works on ends in peace
  remove  the same, and forgets it; one that LLM_REPLICAS names stays removed until it is added again

All gateways and workers of the line follow at once, without a restart.

  --json  list: a JSON array instead
  --help  show this

Settings: REDIS_URL, REDIS_PREFIX, and those of the gateway for the replicas and the balancer
Exit code: 0 if it was done, 1 if Redis cannot be used, 2 for a command that makes no sense
`;

const { action, url, json } = readCommand();
const config = configOrExit(Type.Object({ ...redisSettings, ...llmReplicaSettings }));
const redis = await connectOrExit(config.REDIS_URL);
try {
  const configured = await readReplicas(config);
  const balancer = new Balancer(redis, redisNames(config.REDIS_PREFIX), balancerSettings(config), configured);
  if (action === "list") {
    const replicas = await balancer.view();
    console.log(json ? JSON.stringify(replicas.map(summary), null, 2) : table(replicas));
  } else {
    const known = await balancer.change(url, CHANGES[action]);
    if (!known && action !== "add") leave(2, `there is no replica ${url}: \`bun run replicas\` lists them`);
    console.log(`${url}: ${CHANGES[action]}`);
  }
} catch (error) {
  leave(1, `Redis did not do it: ${(error as Error).message}`);
} finally {
  redis.disconnect();
}

function summary({ room: limit, latency: latency_ms, good, bad, hung_at, ...known }: ReplicaView) {
  const { url, state, load, running, breaker, open_until } = known;
  const error_rate = bad === 0 ? 0 : bad / (good + bad);
  const hangs = hung_at > 0;
  return { url, state, load, running, limit, latency_ms, error_rate, breaker, open_until, hangs };
}

function table(replicas: readonly ReplicaView[]): string {
  if (replicas.length === 0) return "no replicas: set LLM_REPLICAS, or `bun run replicas add URL`";
  const head = ["replica", "state", "load", "running", "limit", "latency", "errors", "breaker"];
  const rows = replicas.map(summary).map((one) => {
    const left_s = Math.max(0, one.open_until - Date.now()) / 1_000;
    return [
      one.url,
      one.state,
      one.load,
      one.running,
      one.limit,
      `${one.latency_ms.toFixed(0)} ms`,
      `${(100 * one.error_rate).toFixed(0)} %`,
      one.breaker === "open"
        ? `open, ${left_s.toFixed(0)} s left`
        : one.hangs
          ? "closed, hangs"
          : one.breaker,
    ];
  });
  return columns(head, rows).join("\n");
}

function readCommand() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const [given = "list", url = ""] = positionals;
    if (given !== "list" && !(given in CHANGES)) {
      leave(2, `${given} is not something to do: list, add, drain, remove, or --help`);
    }
    if (given !== "list" && !/^https?:\/\/[^/\s]+/.test(url)) {
      leave(2, `${given} which replica? Give its base URL, such as http://127.0.0.1:11434`);
    }
    return { action: given as "list" | keyof typeof CHANGES, url: url.replace(/\/$/, ""), json: values.json };
  } catch (error) {
    leave(2, (error as Error).message);
  }
}
