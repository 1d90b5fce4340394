/** What is done to a line: each fault resolves when its cause is over, not when the line has recovered. */
import type { TestRedis } from "../support/redis.ts";
import type { Line } from "./line.ts";
import type { SeededRandom } from "./random.ts";

export interface Victims {
  readonly redis: TestRedis;
  readonly line: Line;
  readonly lease_ms: number;
  /** Whether a message may kill workers meanwhile. */
  readonly poisoned: boolean;
  readonly random: SeededRandom;
}

/** @param nth counted from 0. Rejects if what it did to an orderly process did not end in order. */
export type Fault = (victims: Victims, nth: number) => Promise<void>;

/** A worker dies without a word. */
export const kill: Fault = async ({ line, random }) => {
  await random.pick(line.workers).end("SIGKILL");
};

/** A worker stands still for longer than its lease, then goes on as if nothing had been. */
export const freeze: Fault = async ({ line, random, lease_ms }) => {
  const worker = random.pick(line.workers);
  worker.signal("SIGSTOP");
  await Bun.sleep(lease_ms * random.between(1.5, 2.5));
  worker.signal("SIGCONT");
};

/** Every connection but subscriptions is cut, replies under way with it. */
export const cut: Fault = async ({ redis }) => {
  await redis.client.call("CLIENT", "KILL", "TYPE", "normal");
};

/** Redis dies and is started again with what it has on disk. */
export const killRedis: Fault = async ({ redis, random }) => {
  await redis.kill();
  await Bun.sleep(random.between(0, 500));
  await redis.restart();
};

/** A gateway dies while questions wait there. */
export const killGateway: Fault = async ({ line, random }) => {
  const gateway = random.pick(line.gateways);
  while (gateway.waiting === 0) await Bun.sleep(1);
  await gateway.program.end("SIGKILL");
};

/** A gateway or a worker dies. */
export const killAny: Fault = (victims, nth) => (nth % 2 === 0 ? killGateway : kill)(victims, nth);

/** A replica dies amid its answers, and refuses connections until it is back. */
export const killReplica: Fault = async ({ line, random }) => {
  await random.pick(line.replicas).end("SIGKILL");
};

/** One worker after the other is told to stop, and replaced. */
export const roll: Fault = async ({ line: { workers }, poisoned }, nth) => {
  const worker = workers[nth % workers.length]!;
  const code = await worker.end("SIGTERM");
  if (code !== 0 && !(code === null && poisoned))
    throw new Error(`a ${worker.name} that was told to stop ended with exit code ${code}`);
};

export const anyFault: Fault = (victims, nth) =>
  victims.random.pick([kill, freeze, cut, killRedis, killGateway, killReplica, roll])(victims, nth);
