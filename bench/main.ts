/** `bun run bench [line] [encoder-limit] [replicas] [indexing] [overload]`: all of them, or those named. */
import { benchEncoderLimit } from "./encoder-limit.ts";
import { benchIndexing } from "./indexing.ts";
import { benchLine } from "./line.ts";
import { benchOverload } from "./overload.ts";
import { benchReplicas } from "./replicas.ts";

const benches: Record<string, () => Promise<void>> = {
  line: benchLine,
  "encoder-limit": benchEncoderLimit,
  replicas: benchReplicas,
  indexing: benchIndexing,
  overload: benchOverload,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !(name in benches));
if (unknown) {
  console.error(`there is no bench "${unknown}": there are ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length === 0 || asked.includes(name)) await bench();
}
process.exit(0);
