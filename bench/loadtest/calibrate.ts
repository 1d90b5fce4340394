/**
 * `--calibrate`: the most that this tool can ask on this machine, against a server that does nothing, in a
 * process of its own. A figure taken from a gateway says something of the gateway only well below it.
 */
import { arrivals } from "./arrivals.ts";
import type { CommandLine } from "./command-line.ts";
import { EXIT } from "./exit-code.ts";
import { type Load, run } from "./run.ts";
import type { LoadTestSettings } from "./settings.ts";
import { findKnee } from "./sweep.ts";
import { table } from "./text-table.ts";

const RUN_MS = 3_000;

interface Ceiling {
  readonly requests_rps: number;
  /** Of this process, user and system. */
  readonly cpu_us_per_request: number;
}

/** Resolves with the exit code. */
export async function runCalibration(
  { json, duration_ms = RUN_MS }: CommandLine,
  settings: LoadTestSettings,
  signal: AbortSignal,
): Promise<number> {
  const { LT_CONCURRENCY: concurrency, LT_TIMEOUT_MS: timeout_ms } = settings;
  const server = Bun.spawn([process.execPath, `${import.meta.dir}/null-server.ts`], { stdout: "pipe" });
  try {
    const url = await firstLine(server.stdout);
    const ask = (load: Load, stream: boolean) =>
      run({ load, target: { url: `${url}/${stream ? "stream" : "plain"}`, timeout_ms, stream }, signal });
    const closed = (run_ms: number): Load => ({
      kind: "closed",
      concurrency,
      requests: Number.POSITIVE_INFINITY,
      duration_ms: run_ms,
    });
    const ceiling = async (stream: boolean): Promise<Ceiling> => {
      await ask(closed(duration_ms / 4), stream); // warms up
      const before = process.cpuUsage();
      const { tally, elapsed_ms } = await ask(closed(duration_ms), stream);
      const { user, system } = process.cpuUsage(before);
      return {
        requests_rps: tally.successful / (elapsed_ms / 1_000),
        cpu_us_per_request: (user + system) / Math.max(1, tally.successful),
      };
    };
    const plain = await ceiling(false);
    const stream = await ceiling(true);
    const step = async (rate: number) => {
      const ramp = { duration_ms: duration_ms / 3, from: rate, to: rate };
      const { tally } = await ask({ kind: "open", arrivals: arrivals([ramp], "poisson") }, false);
      const prompt = (tally.generator_lag_ms ?? 0) <= settings.LT_MAX_LAG_MS;
      return { rate, outcome: prompt ? ("kept" as const) : ("missed" as const) };
    };
    const { rate } = await findKnee(Math.ceil(plain.requests_rps / 4), step, signal);
    if (signal.aborted) return EXIT.interrupted;
    const found = { concurrency, plain, stream, open_loop_rps: rate, max_lag_ms: settings.LT_MAX_LAG_MS };
    console.log(json ? JSON.stringify(found) : text(found));
    return EXIT.passed;
  } finally {
    server.kill();
  }
}

function text(found: {
  concurrency: number;
  plain: Ceiling;
  stream: Ceiling;
  open_loop_rps: number | null;
  max_lag_ms: number;
}): string {
  const row = (name: string, { requests_rps, cpu_us_per_request }: Ceiling) => [
    name,
    requests_rps.toFixed(0),
    cpu_us_per_request.toFixed(0),
  ];
  return [
    `Ceiling against a server that does nothing, ${found.concurrency} in flight, here and now`,
    table(
      ["Answers", "requests/s", "CPU us each"],
      [row("plain", found.plain), row("20 tokens", found.stream)],
    ),
    `Open loop   ${found.open_loop_rps ?? 0}/s with a lag of at most ${found.max_lag_ms} ms (P99)`,
  ].join("\n\n");
}

async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  let seen = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    seen += decoder.decode(chunk, { stream: true });
    const end = seen.indexOf("\n");
    if (end !== -1) return seen.slice(0, end);
  }
  throw new Error("the null server ended before it listened");
}
