/** One way to carry jobs through three hops: a stage, and a client that sends jobs and waits for their completions. */
import type { BenchStage, Job, Size } from "./workload.ts";

/** Jobs in a stage's handler at once. */
export const CONCURRENCY = 16;

export interface Setting {
  readonly url: string;
  readonly size: Size;
}

export interface Contender {
  /** Resolves when the stage takes messages. */
  startStage(stage: BenchStage, setting: Setting): Promise<void>;
  startClient(setting: Setting): Promise<Client>;
}

export interface Client {
  /** Names the client to the last stage. */
  readonly reply_to: string;
  /** Sends a job; resolves when its completion is here, parsed. */
  ask(job: Job): Promise<void>;
}
