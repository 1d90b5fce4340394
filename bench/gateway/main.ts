/**
 * `bun run bench:gateway [overhead] [streams] [--rounds N] [--json]`: what the gateway itself costs, with nobody slow behind it.
 * Both, or the one that is named.
 */
import { parseArgs } from "node:util";
import { shown } from "../rounds.ts";
import { CONNECTIONS, measureOverhead, type Overhead } from "./overhead.ts";
import { measureStreams, type StreamFigures } from "./streams.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, json: { type: "boolean", default: false } },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  refuse(`--rounds is "${values.rounds}": it must be a whole number, 1 or more`);
const unknown = positionals.find((name) => name !== "overhead" && name !== "streams");
if (unknown) refuse(`there is no part "${unknown}": there are overhead and streams`);
const wanted = (name: string) => positionals.length === 0 || positionals.includes(name);

const found: { overhead?: Overhead; streams?: StreamFigures[] } = {};
if (wanted("overhead")) {
  found.overhead = await measureOverhead({ rounds, warm_up: 20_000, requests: 20_000 });
  if (!values.json) console.log(overheadTable(found.overhead));
}
if (wanted("streams")) {
  found.streams = [];
  for (const tokens_per_s of [1, 2, 5]) {
    const figures = await measureStreams({ rounds, tokens_per_s });
    found.streams.push(figures);
    if (!values.json) console.log(streamsTable(figures));
  }
}
if (values.json) console.log(JSON.stringify(found, null, 2));
process.exit(0);

function overheadTable({ figures, ratios }: Overhead): string {
  const row = (name: string, cells: string[]) =>
    `  ${name.padEnd(34)}${cells.map((cell) => cell.padEnd(26)).join("")}`.trimEnd();
  const of = (name: keyof typeof figures, ratio = "") => [
    shown(figures[name].requests_per_s, 0),
    shown(figures[name].cpu_us, 0),
    ratio,
  ];
  return [
    `\nPOST /query at ${CONNECTIONS} connections, the line stubbed; median of ${rounds} rounds (range)`,
    row("", ["requests/s", "CPU us a request", "the gateway to it"]),
    row("the gateway", of("gateway")),
    row("bare Elysia, the same bytes", of("bytes", shown(ratios.bytes))),
    row("bare Elysia, checked and made", of("checked", shown(ratios.checked))),
    "  to reach: at least 0.5 times a bare handler's requests/s",
  ].join("\n");
}

function streamsTable({
  streams,
  tokens_per_s,
  p50_ms,
  p99_ms,
  rss_mb,
  gateway_us,
  redis_us,
  lost,
}: StreamFigures): string {
  return [
    `\n${streams} streams, ${tokens_per_s} tokens/s each; median of ${rounds} rounds (range)`,
    `  token written to received, P50   ${shown(p50_ms, 1)} ms`,
    `  P99                              ${shown(p99_ms, 1)} ms`,
    `  the gateway's memory             ${shown(rss_mb, 0)} MB`,
    `  CPU a token, the gateway         ${shown(gateway_us, 0)} us`,
    `  CPU a token, Redis               ${shown(redis_us, 0)} us`,
    `  tokens lost                      ${lost}`,
    "  to reach: P99 at most 20 ms, memory under 1,000 MB",
  ].join("\n");
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
