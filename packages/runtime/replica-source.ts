/**
 * Where the configuration says that the replicas are: a list, a file, or names that DNS resolves to several. File and
 * names are looked at again and again, and the balancer is told what changed. What cannot be read or resolved for a
 * while changes nothing.
 */
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import type { Balancer } from "#balancer";
import type { Logger } from "./logger.ts";

const LOOK_AGAIN_MS = 3_000;
const BY_NAME = /^dns\+/;

export interface ReplicaSourceConfig {
  readonly LLM_REPLICAS: readonly string[];
  readonly LLM_REPLICAS_FILE?: string;
}

/**
 * Base URLs as they are now.
 * @throws Error that names the file or the name that could not be read.
 */
export async function readReplicas({
  LLM_REPLICAS,
  LLM_REPLICAS_FILE,
}: ReplicaSourceConfig): Promise<string[]> {
  const named = LLM_REPLICAS_FILE ? await readLines(LLM_REPLICAS_FILE) : LLM_REPLICAS;
  const urls = await Promise.all(named.map((url) => (BY_NAME.test(url) ? resolveName(url) : [url])));
  return [...new Set(urls.flat())].sort();
}

/** Keeps the balancer told, from now until the returned function is called. */
export function followReplicas(config: ReplicaSourceConfig, balancer: Balancer, log: Logger): () => void {
  let known = "";
  let timer: Timer | undefined;
  let stopped = false;
  const look = async () => {
    try {
      const replicas = await readReplicas(config);
      if (replicas.join() !== known) {
        await balancer.sync(replicas);
        known = replicas.join();
        log.info({ replicas }, "replicas");
      }
    } catch (error) {
      log.warn({ err: error }, "the replicas stay as they are");
    }
    const moving = config.LLM_REPLICAS_FILE || config.LLM_REPLICAS.some((url) => BY_NAME.test(url));
    if (!stopped && (moving || known === "")) timer = setTimeout(look, LOOK_AGAIN_MS);
  };
  look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function readLines(path: string): Promise<string[]> {
  const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.replace(/#.*/, "").trim());
  const urls = lines.filter(Boolean);
  const wrong = urls.find((url) => !/^(dns\+)?https?:\/\/[^/\s]+/.test(url));
  if (wrong !== undefined)
    throw new Error(`LLM_REPLICAS_FILE ${path}: "${wrong}" is not a replica's base URL`);
  if (urls.length === 0) throw new Error(`LLM_REPLICAS_FILE ${path} names no replica`);
  return urls;
}

async function resolveName(named: string): Promise<string[]> {
  const url = new URL(named.replace(BY_NAME, ""));
  const addresses = await lookup(url.hostname, { all: true });
  return addresses.map(({ address, family }) => {
    const one = new URL(url);
    one.hostname = family === 6 ? `[${address}]` : address;
    return one.href.replace(/\/$/, "");
  });
}
