/** What the commands that look into Redis have in common: how they connect, give up, and print a table. */
import { Redis } from "ioredis";

const CONNECT_MS = 3_000;
/** A Redis that is there but hangs is given up after it. */
const ANSWER_MS = 5_000;

/** A connection that is made; or a line that says what to do, and exit code 1. */
export async function connectOrExit(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
  });
  let reason: Error | undefined;
  redis.on("error", (error: Error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    const { message } = reason ?? (error as Error);
    leave(
      1,
      `no Redis at ${new URL(url).host} (${message}): set REDIS_URL to the line's, as \`bun run dev\` prints it`,
    );
  }
}

/** Ends the process with a line on stderr. */
export function leave(code: number, line: string): never {
  console.error(line);
  process.exit(code);
}

/** Head and rows as lines of aligned columns. */
export function columns(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows.map((row) => row.map(oneLine))];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}

/** What was sent to us could hold a terminal's control sequences. */
export function oneLine(value: string | number): string {
  return String(value).replaceAll(/\p{Cc}+/gu, " ");
}
