/** Which gateway is asked, and how. */
import type { CommandLine } from "./command-line.ts";
import type { RunOptions } from "./run.ts";
import type { LoadTestSettings } from "./settings.ts";

export function target({ key, stream }: CommandLine, settings: LoadTestSettings): RunOptions["target"] {
  return {
    url: settings.LT_URL.replace(/\/+$/, ""),
    timeout_ms: settings.LT_TIMEOUT_MS,
    key: key ?? settings.LT_KEY,
    stream,
  };
}
