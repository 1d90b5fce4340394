/** `--sweep`: a run per rate, until the knee is found. */
import { arrivals } from "./arrivals.ts";
import type { CommandLine } from "./command-line.ts";
import { EXIT } from "./exit-code.ts";
import { htmlSweepReport } from "./html-report.ts";
import { showProgress } from "./progress.ts";
import { run } from "./run.ts";
import type { LoadTestSettings } from "./settings.ts";
import type { Slo } from "./slo.ts";
import { findKnee } from "./sweep.ts";
import { type SweepReport, type SweepStep, sweepText, sweepVerdict } from "./sweep-report.ts";
import { target } from "./target.ts";

const FIRST_RATE = 10;
const STEP_MS = 10_000;

/** Resolves with the exit code. */
export async function runSweep(
  command: CommandLine,
  settings: LoadTestSettings,
  signal: AbortSignal,
): Promise<number> {
  const { spacing, duration_ms = STEP_MS, rate: first = FIRST_RATE, json, report: file } = command;
  const slo = command.slo!;
  const asked = target(command, settings);
  const to = { ...asked, timeout_ms: Math.min(asked.timeout_ms, hopelessAfter(slo)) };
  let unreachable: string | undefined;

  async function measure(rate: number): Promise<SweepStep> {
    const progress = showProgress({ duration_ms });
    const load = {
      kind: "open",
      arrivals: arrivals([{ duration_ms, from: rate, to: rate }], spacing),
    } as const;
    const { tally, elapsed_ms, ...ran } = await run({
      load,
      target: to,
      signal,
      slo,
      onEnd: progress.update,
    });
    progress.stop();
    unreachable ??= ran.unreachable;
    const result = tally.slo!.result(elapsed_ms);
    const lag_p99_ms = tally.generator_lag_ms;
    const lagged = (lag_p99_ms ?? 0) > settings.LT_MAX_LAG_MS;
    return {
      rate,
      outcome: lagged || unreachable ? "lagged" : result.met ? "kept" : "missed",
      requests: tally.requests,
      failed: tally.failed,
      p50_ms: tally.latency.percentile(50),
      p99_ms: tally.latency.percentile(99),
      first_token_p99_ms: tally.first_token.percentile(99),
      lag_p99_ms,
      slo: result,
    };
  }

  const knee = await findKnee(first, measure, signal);
  if (unreachable) {
    console.error(
      `No gateway at ${to.url} (${unreachable}): start one with \`bun run dev\`, or set LT_URL to where yours listens`,
    );
    return EXIT.failed;
  }
  const verdict = sweepVerdict(knee, signal.aborted);
  const result: SweepReport = { url: to.url, knee, verdict };
  console.log(json ? JSON.stringify(result) : sweepText(result));
  if (file) await Bun.write(file, htmlSweepReport(result));
  if (!signal.aborted) return EXIT[verdict.kind];
  console.error(`Interrupted after ${knee.steps.length} steps`);
  return EXIT.interrupted;
}

/** Past twice its limit an answer is a miss whenever it comes: waiting for it would only draw the step out. */
function hopelessAfter({ objectives }: Slo): number {
  const limits = objectives.filter(({ measure }) => measure === "latency").map(({ limit_ms }) => limit_ms);
  return limits.length > 0 ? 2 * Math.max(...limits) : Number.POSITIVE_INFINITY;
}
