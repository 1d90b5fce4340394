/**
 * The load test: `bun loadtest.ts`. Sends questions to a running gateway, a fixed number in flight, and
 * reports how it did. `--help` lists its settings and exit codes.
 */
import { configOrExit } from "#runtime";
import { closedLoop } from "./bench/loadtest/closed-loop.ts";
import { commandLineOrExit } from "./bench/loadtest/command-line.ts";
import { ask } from "./bench/loadtest/outcome.ts";
import { showProgress } from "./bench/loadtest/progress.ts";
import { questions } from "./bench/loadtest/questions.ts";
import { report } from "./bench/loadtest/report.ts";
import { reportText } from "./bench/loadtest/report-text.ts";
import { ensureRequestCap } from "./bench/loadtest/request-cap.ts";
import { loadTestSettings } from "./bench/loadtest/settings.ts";
import { Tally } from "./bench/loadtest/tally.ts";

const { json } = commandLineOrExit(process.argv.slice(2));
const settings = configOrExit(loadTestSettings);
ensureRequestCap(settings);

const url = settings.LT_URL.replace(/\/+$/, "");
const { LT_REQUESTS: requests, LT_CONCURRENCY: concurrency, LT_TIMEOUT_MS: timeout_ms } = settings;
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const tally = new Tally();
const progress = showProgress(requests);
let unreachable: string | undefined;
const started = performance.now();
await closedLoop({ requests, concurrency, signal: stop.signal }, async (index) => {
  const outcome = await ask(questions[index % questions.length]!, { url, timeout_ms, signal: stop.signal });
  // Nobody has answered yet and nobody listens: the rest would fare no better.
  if (outcome.kind === "unreachable" && tally.requests === 0) {
    unreachable = outcome.reason;
    stop.abort();
  }
  tally.add(outcome);
  progress.update(tally);
});
const elapsed_ms = performance.now() - started;
progress.stop();

const result = report(tally, { url, concurrency, elapsed_ms });
if (json) console.log(JSON.stringify(result));
else if (!unreachable) console.log(reportText(result));

if (unreachable) {
  console.error(
    `No gateway at ${url} (${unreachable}): start one with \`bun run dev\`, or set LT_URL to where yours listens`,
  );
  process.exitCode = 1;
} else if (stop.signal.aborted) {
  console.error(`Interrupted after ${tally.requests} of ${requests} requests`);
  process.exitCode = 130;
} else {
  process.exitCode = tally.failed > 0 ? 1 : 0;
}
