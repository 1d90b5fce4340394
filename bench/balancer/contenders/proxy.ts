/** A proxy of Debian's in front of the replicas: with a configuration and a folder of its own, and no rights. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../tests/support/free-port.ts";
import { promptOf } from "../../passage.ts";
import { type Contender, post } from "../contender.ts";

export interface ProxyProgram {
  /** Of the program, and of its package. */
  readonly name: "haproxy" | "nginx";
  readonly config: (setting: ProxySetting) => string;
  readonly args: (config_path: string, directory: string) => readonly string[];
}

export interface ProxySetting {
  readonly port: number;
  /** `host:port` of each replica. */
  readonly servers: readonly string[];
  readonly slots: number;
  readonly directory: string;
}

/** Where the program is, or `null`. Debian has them in folders that are not on everybody's PATH. */
export function findProxy(name: ProxyProgram["name"]): string | null {
  return Bun.which(name, { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` });
}

export function proxy(program: ProxyProgram): Contender {
  return {
    name: program.name,
    async start(replicas, slots) {
      const path = findProxy(program.name);
      if (!path) throw new Error(`${program.name} is not installed: apt-get install ${program.name}`);
      const directory = mkdtempSync(join(tmpdir(), `ragline-${program.name}-`));
      const port = freePort();
      const servers = replicas.map((url) => new URL(url).host);
      const config_path = join(directory, `${program.name}.conf`);
      writeFileSync(config_path, program.config({ port, servers, slots, directory }));
      const child = Bun.spawn([path, ...program.args(config_path, directory)], {
        stdin: "ignore",
        stdout: "ignore",
        stderr: Bun.file(join(directory, "stderr")),
      });
      const url = `http://127.0.0.1:${port}`;
      await answers(`${url}/health`, child, join(directory, "stderr"));
      return {
        // What an LLM worker sends, and how it tells that an answer is whole.
        ask: (query) =>
          post(
            `${url}/api/generate`,
            { model: "llama3.2", prompt: promptOf(query), stream: true },
            (answer) => answer.includes('"done":true'),
          ),
        async stop() {
          child.kill("SIGTERM");
          await child.exited;
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
  };
}

async function answers(url: string, child: Bun.Subprocess, stderr: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the proxy ended: ${await Bun.file(stderr).text()}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await Bun.sleep(20);
  }
}
