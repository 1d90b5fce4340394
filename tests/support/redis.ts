/** A real redis-server for a test file, on a free port and in memory. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { waitForLine } from "./process.ts";

export interface TestRedis {
  readonly url: string;
  readonly pid: number;
  /** A plain connection, for looking and for foreign programs' writes. */
  readonly client: Redis;
  /** Ends the server with SIGKILL; what it held is gone, unless `options` made it persistent. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(options: Record<string, string> = {}): Promise<TestRedis> {
  const port = freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: Subprocess;
  const start = async () => {
    const files = { dir: tmpdir(), dbfilename: `ragline-${port}.rdb`, appenddirname: `ragline-${port}` };
    const settings = {
      port: String(port),
      bind: "127.0.0.1",
      save: "",
      appendonly: "no",
      ...files,
      ...options,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const started = Bun.spawn(["redis-server", ...args], { stdout: "pipe", stderr: "inherit" });
    server = started;
    await waitForLine(started.stdout, "Ready to accept connections");
  };
  await start();
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on("error", () => {}); // tests end and restart the server
  return {
    url,
    get pid() {
      return server.pid;
    },
    client,
    async kill() {
      server.kill("SIGKILL");
      await server.exited;
    },
    restart: start,
    async stop() {
      client.disconnect();
      server.kill("SIGKILL");
      await server.exited;
      rmSync(join(tmpdir(), `ragline-${port}`), { recursive: true, force: true });
    },
  };
}
