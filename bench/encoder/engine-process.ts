/** One engine in a process of its own, so that its memory is its own: told by IPC what to embed, it says how it went. */
import { Durations } from "../loadtest/durations.ts";
import { type EngineName, engines } from "./engines.ts";

export interface Turn {
  readonly texts_per_s: number;
  /** Of the call that carried a text, ms. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** Share of the tokens that only fill batches; 0 for engines that do not tell. */
  readonly padding: number;
  readonly rss_mb: number;
}

if (import.meta.main) {
  const [name, redis_url = ""] = process.argv.slice(2) as [EngineName, string];
  const seen = { tokens: 0, padding: 0 };
  const engine = await engines[name]({
    redis_url,
    observe: ({ tokens, padding }) => {
      seen.tokens += tokens;
      seen.padding += padding;
    },
  });

  const turn = async (texts: readonly string[]): Promise<Turn> => {
    Object.assign(seen, { tokens: 0, padding: 0 });
    const calls = new Durations();
    const started = performance.now();
    for (let i = 0; i < texts.length; i += engine.at_once) {
      const batch = texts.slice(i, i + engine.at_once);
      const called = performance.now();
      await engine.embed(batch);
      for (const _ of batch) calls.record(performance.now() - called);
    }
    return {
      texts_per_s: (texts.length / (performance.now() - started)) * 1_000,
      p50_ms: calls.percentile(50) ?? Number.NaN,
      p99_ms: calls.percentile(99) ?? Number.NaN,
      padding: seen.padding / (seen.tokens + seen.padding) || 0,
      rss_mb: process.memoryUsage.rss() / 1e6,
    };
  };

  process.on("message", async (texts: readonly string[]) => process.send!(await turn(texts)));
  process.on("disconnect", () => process.exit(0));
  process.send!("ready");
}
