/**
 * The thread that renews a consumer's lease: an inference blocks the main thread for longer than a lease should wait.
 * It beats only while the main thread ticks, so a process that hangs loses its lease as one that died does.
 */
import { connectWorker } from "./connection.ts";
import type { HeartbeatOrder } from "./heartbeat.ts";
import type { QueueRedis } from "./scripts.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<HeartbeatOrder>) => {
  const { url, consumers, processing, consumer, lease_ms, stall_ms } = data;
  const redis = connectWorker(url, () => {}) as QueueRedis; // an outage is reported by the main thread
  const tick = new Int32Array(data.tick);
  let seen = -1;
  let ticked_at = performance.now();
  let beating = false;
  const beat = async () => {
    const now = Atomics.load(tick, 0);
    if (now !== seen) ticked_at = performance.now();
    seen = now;
    if (beating || performance.now() - ticked_at > stall_ms) return;
    beating = true;
    try {
      self.postMessage(await redis.queueBeat(consumers, processing, consumer, lease_ms));
    } catch {
      // the next beat is soon
    } finally {
      beating = false;
    }
  };
  beat();
  setInterval(beat, lease_ms / 4);
};
