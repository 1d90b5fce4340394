/** The Redis of this machine's line: persistent, and never evicting, as a queue needs it. */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isAlive } from "./data-lock.ts";
import type { Program } from "./supervisor.ts";

/** The server as a program to supervise. Ends one that an earlier, killed run left behind on the same files. */
export async function redisServer(data_dir: string, port: number): Promise<Program> {
  const directory = resolve(data_dir, "redis");
  mkdirSync(directory, { recursive: true });
  const pid_file = join(directory, "redis.pid");
  await endLeftover(pid_file);
  const options = {
    port: String(port),
    bind: "127.0.0.1",
    dir: directory,
    pidfile: pid_file,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return {
    name: "redis",
    command: ["redis-server", ...args],
    ready: (line) => line.includes("Ready to accept connections"),
  };
}

async function endLeftover(pid_file: string): Promise<void> {
  let pid: number;
  try {
    pid = Number(readFileSync(pid_file, "utf8"));
  } catch {
    return;
  }
  const command = await Bun.file(`/proc/${pid}/cmdline`)
    .text()
    .catch(() => "");
  if (!isAlive(pid) || !command.includes("redis-server")) return;
  process.kill(pid, "SIGTERM");
  while (isAlive(pid)) await Bun.sleep(20);
}
