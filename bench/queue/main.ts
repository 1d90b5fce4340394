/**
 * `bun run bench:queue [--rounds N] [--json]`: Ragline's queue beside BullMQ and plain BRPOP + LPUSH, over three hops on
 * one Redis. One contender works at a time, in turn; the others wait for messages.
 */
import { parseArgs } from "node:util";
import { compare } from "./comparison.ts";
import { table } from "./table.ts";
import { SIZES } from "./workload.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, json: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is "${values.rounds}": it must be a whole number, 1 or more`);
  process.exit(2);
}

const comparisons = [];
for (const size of SIZES) {
  const comparison = await compare(size, { rounds, warm_up: 10_000, saturated: 2_500, idle: 200 });
  comparisons.push(comparison);
  if (!values.json) console.log(table(comparison));
}
if (values.json) console.log(JSON.stringify(comparisons, null, 2));
process.exit(0);
