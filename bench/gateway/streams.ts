/** Many streams of answers, held by one gateway: how long a token takes through it, and what it needs for them. Linux. */
import { readFileSync } from "node:fs";
import type { Subprocess } from "bun";
import { startProcess } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import type { Received } from "../programs/stream-clients.ts";
import type { WriteOrder } from "../programs/token-writer.ts";
import { type Spread, spread } from "../rounds.ts";

export const STREAMS = 2_000;
const ROUND_MS = 6_000;
/** Of the kernel's clock. */
const TICKS_PER_S = 100;

export interface StreamFigures {
  readonly streams: number;
  readonly tokens_per_s: number;
  /** From a token's being written to Redis to its being at its client, in another process. */
  readonly p50_ms: Spread;
  readonly p99_ms: Spread;
  /** Of the gateway's process: at its most, so far. */
  readonly rss_mb: Spread;
  /** CPU time of the gateway and of Redis a token, from the first token to the last answer. */
  readonly gateway_us: Spread;
  readonly redis_us: Spread;
  /** Over all rounds: written and not received, or received more than once. */
  readonly lost: number;
}

type Round = Record<"p50_ms" | "p99_ms" | "rss_mb" | "gateway_us" | "redis_us" | "lost", number>;

export async function measureStreams(amounts: {
  readonly rounds: number;
  readonly tokens_per_s: number;
  readonly streams?: number;
}): Promise<StreamFigures> {
  const { rounds, tokens_per_s, streams = STREAMS } = amounts;
  const redis = await startRedis();
  const gateway = startProcess("apps/gateway/main.ts", {
    REDIS_URL: redis.url,
    PORT: "0",
    METRICS_PORT: "0",
  });
  const { port } = new URL(JSON.parse(await gateway.line('"msg":"listening"')).url);
  const writer = new Member("bench/programs/token-writer.ts", [redis.url]);
  const clients = new Member("bench/programs/stream-clients.ts", [port, String(streams)]);
  const measured: Round[] = [];
  try {
    await Promise.all([writer, clients].map((member) => member.told((said) => "ready" in said)));
    while (measured.length < rounds) {
      clients.tell({});
      await writer.told<{ jobs: number }>(({ jobs }) => jobs === streams);
      const pids = [gateway.child.pid, redis.pid];
      const before = pids.map(cpuSeconds);
      const order: WriteOrder = { tokens_per_s, duration_ms: ROUND_MS };
      writer.tell(order);
      const { written } = await writer.told<{ written: number }>((said) => "written" in said);
      const { received, p50_ms, p99_ms } = await clients.told<Received>((said) => "received" in said);
      const used = pids.map((pid, i) => ((cpuSeconds(pid) - before[i]!) * 1e6) / written);
      measured.push({
        p50_ms,
        p99_ms,
        rss_mb: peakMegabytes(gateway.child.pid),
        gateway_us: used[0]!,
        redis_us: used[1]!,
        lost: Math.abs(written - received),
      });
    }
  } finally {
    await Promise.all([writer.stop(), clients.stop(), gateway.stop()]);
    await redis.stop();
  }
  const of = (name: keyof Round) => spread(measured.map((round) => round[name]));
  return {
    streams,
    tokens_per_s,
    p50_ms: of("p50_ms"),
    p99_ms: of("p99_ms"),
    rss_mb: of("rss_mb"),
    gateway_us: of("gateway_us"),
    redis_us: of("redis_us"),
    lost: measured.reduce((sum, { lost }) => sum + lost, 0),
  };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

function peakMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_024;
}

type Said = Readonly<Record<string, unknown>>;

/** A program of the bench, and what it says over IPC. */
class Member {
  readonly #child: Subprocess;
  readonly #said: Said[] = [];
  #heard = () => {};

  constructor(path: string, args: readonly string[]) {
    this.#child = Bun.spawn([process.execPath, path, ...args], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      ipc: (said: Said) => {
        if ("failed" in said) throw new Error(`a stream was refused, so there is no figure: ${said.failed}`);
        this.#said.push(said);
        this.#heard();
      },
    });
  }

  tell(order: object): void {
    this.#child.send(order);
  }

  /** The next that fits; what was said before it is forgotten. */
  async told<S extends Said>(wanted: (said: Partial<S>) => boolean): Promise<S> {
    for (;;) {
      for (let said = this.#said.shift(); said !== undefined; said = this.#said.shift()) {
        if (wanted(said as Partial<S>)) return said as S;
      }
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
