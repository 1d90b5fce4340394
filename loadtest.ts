/**
 * The load test: `bun loadtest.ts`. Sends questions to a running gateway, a fixed number in flight or at a
 * rate, and reports how it did. `--help` lists its flags, settings and exit codes.
 */
import { configOrExit } from "#runtime";
import { runCalibration } from "./bench/loadtest/calibrate.ts";
import { commandLineOrExit } from "./bench/loadtest/command-line.ts";
import { MOST_IN_FLIGHT } from "./bench/loadtest/open-loop.ts";
import { ensureRequestCap } from "./bench/loadtest/request-cap.ts";
import { loadTestSettings } from "./bench/loadtest/settings.ts";
import { runSweep } from "./bench/loadtest/sweep-mode.ts";
import { runTest } from "./bench/loadtest/test-mode.ts";

const command = commandLineOrExit(process.argv.slice(2));
const settings = configOrExit(loadTestSettings);
const open = command.rate !== undefined || command.stages !== undefined || command.mode !== "run";
ensureRequestCap(settings.BUN_CONFIG_MAX_HTTP_REQUESTS, open ? MOST_IN_FLIGHT : settings.LT_CONCURRENCY);

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const modes = { run: runTest, sweep: runSweep, calibrate: runCalibration };
process.exitCode = await modes[command.mode](command, settings, stop.signal);
