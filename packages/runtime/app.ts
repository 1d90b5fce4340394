/**
 * What every process needs around its work: logs, metrics, an orderly end.
 *
 * Its life:
 * 1. `startApp`: the logger and the metrics registry.
 * 2. `app.onStop(...)`: whoever starts something says how it is stopped; last started, first stopped.
 * 3. SIGTERM, SIGINT, or the end of a parent that supervises over IPC: everything is stopped within
 *    `DRAIN_SECONDS` and a little, and the process exits 0. A second signal ends it at once.
 */
import { Type } from "@sinclair/typebox";
import { collectDefaultMetrics, Registry } from "prom-client";
import { createLogger, type Logger } from "./logger.ts";

export const appSettings = {
  LOG_LEVEL: Type.Union(
    ["trace", "debug", "info", "warn", "error", "silent"].map((level) => Type.Literal(level)),
    {
      default: "info",
      description: "Least severe log line that is written: trace, debug, info, warn, error or silent",
    },
  ),
  DRAIN_SECONDS: Type.Number({
    minimum: 0,
    maximum: 600,
    default: 20,
    description: "How long a stopping process may finish what it has; the rest goes back to its queue",
  }),
};

/** Beyond `DRAIN_SECONDS`: for putting back what is left, and closing. */
const CLOSE_MS = 3_000;

export interface AppConfig {
  readonly LOG_LEVEL: string;
  readonly DRAIN_SECONDS: number;
}

export interface App {
  readonly name: string;
  readonly log: Logger;
  readonly registry: Registry;
  /** `stop` is called once, with how long it may take, in ms. */
  onStop(stop: (drain_ms: number) => unknown): void;
}

export function startApp(name: string, config: AppConfig): App {
  const log = createLogger(name, config.LOG_LEVEL);
  const registry = new Registry();
  registry.setDefaultLabels({ app: name });
  collectDefaultMetrics({ register: registry });
  const stops: ((drain_ms: number) => unknown)[] = [];
  const app: App = {
    name,
    log,
    registry,
    onStop: (stop) => stops.push(stop),
  };

  let stopping = false;
  const stop = async (why: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ why }, "stopping");
    const drain_ms = config.DRAIN_SECONDS * 1_000;
    setTimeout(() => {
      log.error("could not stop in time: leaving");
      process.exit(0);
    }, drain_ms + CLOSE_MS);
    for (const one of stops.reverse()) {
      try {
        await one(drain_ms);
      } catch (error) {
        log.error({ err: error }, "while stopping");
      }
    }
    log.info("stopped");
    process.exit(0);
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("disconnect", () => stop("the supervisor is gone"));
  return app;
}
