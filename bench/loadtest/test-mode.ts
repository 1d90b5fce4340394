/** `bun loadtest.ts` as such: one run, its checks, its report, its verdict. */
import { arrivals, type Ramp } from "./arrivals.ts";
import type { CommandLine } from "./command-line.ts";
import { CrossCheck } from "./cross-check.ts";
import { EXIT } from "./exit-code.ts";
import { htmlReport } from "./html-report.ts";
import { checkLoads } from "./load-counters.ts";
import { showProgress } from "./progress.ts";
import { questions } from "./questions.ts";
import { type Report, report } from "./report.ts";
import { reportText } from "./report-text.ts";
import { type Load, run } from "./run.ts";
import type { LoadTestSettings } from "./settings.ts";
import { target } from "./target.ts";
import { judge } from "./verdict.ts";

/** How long counters may take to come back to 0 after the last client has gone. */
const LOADS_WITHIN_MS = 10_000;

/** Resolves with the exit code. */
export async function runTest(
  command: CommandLine,
  settings: LoadTestSettings,
  signal: AbortSignal,
): Promise<number> {
  const to = target(command, settings);
  const { load, words, expected } = plannedLoad(command, settings);
  const crossCheck = command.cross_check ? await learn({ ...to, signal }) : undefined;
  if (crossCheck instanceof Error) {
    if (signal.aborted) return EXIT.interrupted;
    console.error(`Answers cannot be told apart: ${crossCheck.message}`);
    return EXIT.refused;
  }

  const progress = showProgress(expected);
  const { slo, abort_share } = command;
  const ran = await run({ load, target: to, signal, slo, abort_share, crossCheck, onEnd: progress.update });
  progress.stop();

  const { tally, elapsed_ms, unreachable } = ran;
  const ended = !unreachable && !signal.aborted;
  const loads =
    ended && abort_share > 0 ? await checkLoads(loadSource(to, settings), LOADS_WITHIN_MS) : undefined;
  const kept = tally.slo?.result(elapsed_ms) ?? null;
  const verdict = ended
    ? judge({ tally, slo: kept, max_lag_ms: settings.LT_MAX_LAG_MS, crossCheck, loads })
    : null;
  const concurrency = load.kind === "closed" ? load.concurrency : ran.most_in_flight;
  const result = report(tally, {
    url: to.url,
    load: words,
    concurrency,
    elapsed_ms,
    slo: kept,
    crossCheck,
    loads,
    verdict,
  });
  await print(result, command, unreachable !== undefined);

  if (unreachable) {
    console.error(
      `No gateway at ${to.url} (${unreachable}): start one with \`bun run dev\`, or set LT_URL to where yours listens`,
    );
    return EXIT.failed;
  }
  if (!verdict) {
    const of = "requests" in expected ? ` of ${expected.requests}` : "";
    console.error(`Interrupted after ${tally.requests}${of} requests`);
    return EXIT.interrupted;
  }
  return EXIT[verdict.kind];
}

async function print(result: Report, { json, report }: CommandLine, unreachable: boolean): Promise<void> {
  if (json) console.log(JSON.stringify(result));
  else if (!unreachable) console.log(reportText(result));
  if (report && !unreachable) await Bun.write(report, htmlReport(result));
}

function learn(options: Parameters<typeof CrossCheck.learn>[1]): Promise<CrossCheck | Error> {
  return CrossCheck.learn(questions, options).catch((error: Error) => error);
}

function loadSource(
  { url, key }: { url: string; key?: string },
  { REDIS_URL, REDIS_PREFIX }: LoadTestSettings,
) {
  return { url, key, redis: REDIS_URL ? { url: REDIS_URL, prefix: REDIS_PREFIX } : undefined };
}

interface PlannedLoad {
  readonly load: Load;
  readonly words: string;
  readonly expected: Parameters<typeof showProgress>[0];
}

function plannedLoad(command: CommandLine, { LT_REQUESTS, LT_CONCURRENCY }: LoadTestSettings): PlannedLoad {
  const { rate, stages, spacing, duration_ms } = command;
  const expected = duration_ms === undefined ? { requests: LT_REQUESTS } : { duration_ms };
  if (stages) {
    const words = `${stages.map(({ to }) => `to ${to}/s`).join(", ")}, ${spacing}`;
    const load: Load = { kind: "open", arrivals: arrivals(stages, spacing) };
    return {
      load,
      words,
      expected: { duration_ms: stages.reduce((sum, stage) => sum + stage.duration_ms, 0) },
    };
  }
  if (rate === undefined) {
    const requests = duration_ms === undefined ? LT_REQUESTS : Number.POSITIVE_INFINITY;
    return {
      load: { kind: "closed", concurrency: LT_CONCURRENCY, requests, duration_ms },
      words: "closed",
      expected,
    };
  }
  const ramp: Ramp = { duration_ms: duration_ms ?? Number.POSITIVE_INFINITY, from: rate, to: rate };
  const all = arrivals([ramp], spacing);
  const load: Load = { kind: "open", arrivals: duration_ms === undefined ? all.take(LT_REQUESTS) : all };
  return { load, words: `${rate}/s, ${spacing}`, expected };
}
