/** `bun run keys`: API keys, on the command line. `--help` says what it takes and its exit codes. */
import { parseArgs } from "node:util";
import { Type } from "@sinclair/typebox";
import { redisNames } from "#contracts";
import { configOrExit, redisSettings } from "#runtime";
import { type ApiKey, type KeyGrant, KeyStore } from "../apps/gateway/keys/key-store.ts";
import { columns, connectOrExit, leave } from "./command-line.ts";

const ACTIONS = ["create", "list", "revoke"] as const;

const USAGE = `Usage: bun run keys create --tenant NAME [LIMITS]
       bun run keys list
       bun run keys revoke ID...

API keys of the gateway, which asks for them with API_KEYS=true. Only a key's digest is kept: it is shown once.

  create  a key of a tenant, which sees its own documents, jobs and answers only
  list    a line for each key: id, tenant, limits, age; never the key itself
  revoke  ends keys, from the next request on

  --tenant NAME               letters, digits, . _ and -, at most 64; "default" has what came in without keys
  --requests-per-minute N     60 by default
  --tokens-per-day N          1000000 by default; of questions, sources, answers and documents, by UTC day
  --priority N                weight among tenants where questions wait, 1 to 100; 1 by default
  --json                      create and list: JSON instead
  --help                      show this

From the environment: REDIS_URL, REDIS_PREFIX.
Exit codes: 0 done, 1 Redis did not answer, 2 the command makes no sense or names a key that there is not.`;

type Command =
  | { readonly action: "create"; readonly grant: KeyGrant; readonly json: boolean }
  | { readonly action: "list"; readonly json: boolean }
  | { readonly action: "revoke"; readonly ids: readonly string[] };

const command = readCommand();
const config = configOrExit(Type.Object(redisSettings));
const redis = await connectOrExit(config.REDIS_URL);
try {
  await run(command, new KeyStore(redis, redisNames(config.REDIS_PREFIX)));
} catch (error) {
  leave(1, `Redis did not do it: ${(error as Error).message}`);
} finally {
  redis.disconnect();
}

async function run(command: Command, keys: KeyStore): Promise<void> {
  switch (command.action) {
    case "create": {
      const { key, secret } = await keys.create(command.grant);
      if (command.json) console.log(JSON.stringify({ ...key, key: secret }, null, 2));
      else
        console.log(
          `${secret}\n\nKey ${key.id} of tenant ${key.tenant}. It is not shown again: keep it now.`,
        );
      return;
    }
    case "list": {
      const all = await keys.list();
      if (command.json) console.log(JSON.stringify(all, null, 2));
      else if (all.length === 0) console.log("no keys");
      else console.log(table(all).join("\n"));
      return;
    }
    case "revoke":
      for (const id of command.ids) {
        if (!(await keys.revoke(id))) leave(2, `there is no key ${id}: \`list\` shows those there are`);
        console.log(`revoked ${id}`);
      }
  }
}

function table(keys: readonly ApiKey[]): string[] {
  const head = ["id", "tenant", "requests/min", "tokens/day", "priority", "created"];
  return columns(
    head,
    keys.map(({ id, tenant, requests_per_minute, tokens_per_day, priority, created_at }) => [
      id,
      tenant,
      requests_per_minute,
      tokens_per_day,
      priority,
      new Date(created_at).toISOString().slice(0, 19),
    ]),
  );
}

function readCommand(): Command {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        tenant: { type: "string" },
        "requests-per-minute": { type: "string", default: "60" },
        "tokens-per-day": { type: "string", default: "1000000" },
        priority: { type: "string", default: "1" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const [given, ...ids] = positionals;
    const action = ACTIONS.find((name) => name === given);
    if (!action) leave(2, `${given ?? "nothing"} is not something to do: ${ACTIONS.join(", ")}, or --help`);
    if (action === "revoke") {
      if (ids.length === 0) leave(2, "revoke which key? Give its id, as `list` shows it");
      return { action, ids };
    }
    if (ids.length > 0) leave(2, `${action} takes no ${ids[0]}: see --help`);
    if (action === "list") return { action, json: values.json };
    const { tenant } = values;
    if (!tenant || !/^[A-Za-z0-9][\w.-]{0,63}$/.test(tenant)) {
      leave(2, "whose key? Give --tenant NAME: letters, digits, . _ and -, at most 64");
    }
    const grant = {
      tenant,
      requests_per_minute: whole("requests-per-minute", values["requests-per-minute"], 1_000_000),
      tokens_per_day: whole("tokens-per-day", values["tokens-per-day"], 1_000_000_000_000),
      priority: whole("priority", values.priority, 100),
    };
    return { action, grant, json: values.json };
  } catch (error) {
    leave(2, (error as Error).message);
  }
}

function whole(name: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  leave(2, `--${name} is ${text}: give a whole number from 1 to ${most}`);
}
