import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** JSON lines on stdout, each with the app's name; give what concerns a job its `job_id`. */
export function createLogger(app: string, level: string): Logger {
  return pino({ level, base: { app, pid: process.pid } });
}
