import { type Logger, pino, stdSerializers } from "pino";

export type { Logger } from "pino";

/** JSON lines on stdout, each with the app's name; give what concerns a job its `job_id`. */
export function createLogger(app: string, level: string): Logger {
  return pino({ level, base: { app, pid: process.pid }, serializers: { err: withoutCommand } });
}

/** An error of Redis carries the command that it answers: with a question, or what a key is looked up by, in it. */
function withoutCommand(error: Error): object {
  const { command, ...told } = stdSerializers.err(error) as unknown as Record<string, unknown>;
  return told;
}
