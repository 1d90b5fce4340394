/** `bun run dead`: the dead letters, on the command line. `--help` says what it takes and its exit codes. */
import { parseArgs } from "node:util";
import { Type } from "@sinclair/typebox";
import { queues, redisNames } from "#contracts";
import { DeadLetters, jobOf, NoSuchLetter, type NumberedLetter } from "#queue";
import { configOrExit, redisSettings } from "#runtime";
import { columns, connectOrExit, leave, oneLine } from "./command-line.ts";

const QUEUES = Object.values(queues).map(({ name }) => name);
const ACTIONS = ["list", "show", "retry", "drop"] as const;

const USAGE = `Usage: bun run dead list|show|retry|drop [QUEUE] [NUMBER...]

Dead letters are messages that nobody could use, laid aside with the reason. Each has a number in its
queue, 1 being the oldest; without numbers all of the queue are meant, without a queue those of all queues.

  list    a line for each: number, age, stage, deliveries, job id and reason
  show    the whole letters, with their messages
  retry   puts the messages back into their queues, with a fresh deadline and their history
  drop    deletes them for good; of all queues only with --yes

  --json  list and show: one JSON array instead
  --yes   drop: the letters of all queues are meant
  --help  show this

Queues: ${QUEUES.join(" ")}
Settings: REDIS_URL, REDIS_PREFIX
Exit code: 0 if it was done, 1 if Redis cannot be used, 2 for a command that makes no sense
`;

interface Command {
  readonly action: (typeof ACTIONS)[number];
  readonly queues: readonly string[];
  /** Empty for all. */
  readonly numbers: readonly number[];
  readonly json: boolean;
}

type Located = NumberedLetter & { readonly queue: string };

const command = readCommand();
const config = configOrExit(Type.Object(redisSettings));
const redis = await connectOrExit(config.REDIS_URL);
try {
  await run(command, new DeadLetters(redis, redisNames(config.REDIS_PREFIX)));
} catch (error) {
  if (error instanceof NoSuchLetter) leave(2, error.message);
  leave(1, `Redis did not do it: ${(error as Error).message}`);
} finally {
  redis.disconnect();
}

async function run({ action, queues, numbers, json }: Command, dead: DeadLetters): Promise<void> {
  if (action === "retry" || action === "drop") {
    for (const queue of queues) {
      const count = await dead[action](queue, numbers);
      console.log(`${queue}: ${action === "retry" ? "put back" : "dropped"} ${count}`);
    }
    return;
  }
  const found: Located[][] = [];
  for (const queue of queues) {
    found.push((await dead.show(queue, numbers)).map((one) => ({ queue, ...one })));
  }
  const all = found.flat();
  if (json) console.log(JSON.stringify(action === "list" ? all.map(summary) : all.map(whole), null, 2));
  else if (all.length === 0) console.log("no dead letters");
  else if (action === "show") console.log(all.map(page).join("\n\n"));
  else
    console.log(
      found
        .filter(({ length }) => length > 0)
        .map(table)
        .join("\n\n"),
    );
}

function summary({ queue, number, letter }: Located) {
  const { at, stage, deliveries, reason } = letter;
  return { queue, number, at, stage, deliveries, job_id: jobId(letter), reason };
}

function whole({ queue, number, letter }: Located) {
  return { queue, number, ...letter, message: jobOf(letter) ?? letter.message };
}

function table(letters: readonly Located[]): string {
  const head = ["no", "age", "stage", "deliveries", "job id", "reason"];
  const rows = letters.map(({ number, letter }) => [
    number,
    age(letter.at),
    letter.stage,
    letter.deliveries,
    jobId(letter) ?? "-",
    letter.reason,
  ]);
  return [letters[0]!.queue, ...columns(head, rows)].join("\n");
}

function page({ queue, number, letter }: Located): string {
  const { message, reason, stage, at, deliveries } = letter;
  const when = at === 0 ? "unknown" : `${new Date(at).toJSON()}, ${age(at)} ago`;
  return [
    `${queue} ${number}`,
    `reason      ${oneLine(reason)}`,
    `stage       ${oneLine(stage)}`,
    `at          ${when}`,
    `deliveries  ${deliveries}`,
    ...`message     ${JSON.stringify(jobOf(letter) ?? message, null, 2)}`.split("\n").map(oneLine),
  ].join("\n");
}

function jobId(letter: NumberedLetter["letter"]): string | undefined {
  const job_id = jobOf(letter)?.job_id;
  return typeof job_id === "string" ? job_id : undefined;
}

/** Of `at`, epoch ms, in its largest unit: `3 min`. */
function age(at: number): string {
  if (at === 0) return "-";
  const seconds = Math.max(0, Date.now() - at) / 1_000;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function readCommand(): Command {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const [given, queue, ...rest] = positionals;
    const action = ACTIONS.find((name) => name === given);
    if (!action) leave(2, `${given ?? "nothing"} is not something to do: ${ACTIONS.join(", ")}, or --help`);
    if (queue !== undefined && !QUEUES.includes(queue)) {
      leave(2, `there is no queue ${queue}: give one of ${QUEUES.join(", ")}`);
    }
    if (action === "drop" && queue === undefined && !values.yes) {
      leave(2, "drop what? Give a queue, or --yes for the dead letters of all queues");
    }
    const wrong = rest.find((text) => !/^[1-9]\d*$/.test(text));
    if (wrong !== undefined) leave(2, `${wrong} is not a dead letter's number: \`list\` shows them, from 1`);
    return { action, queues: queue ? [queue] : QUEUES, numbers: rest.map(Number), json: values.json };
  } catch (error) {
    leave(2, (error as Error).message);
  }
}
