/**
 * A job's answer from the replica that the balancer gives it; where that one fails, from another.
 *
 * The count moves with the call: the replica that is counted is the one that is called.
 */
import type { Balancer, Call, CallOutcome } from "#balancer";
import { estimateTokens, type LlmIn, type TokenUsage } from "#contracts";
import { Cancelled, Expired, Fail } from "#queue";
import type { Logger } from "#runtime";
import type { DecisionLog } from "./decision-log.ts";
import type { Attempt, Hedging } from "./hedge.ts";
import type { BalancerMetrics } from "./metrics.ts";
import type { Places } from "./places.ts";
import { type ReplicaClient, ReplicaError, type ReplicaUsage } from "./replica/index.ts";
import type { SilenceWatch } from "./silence.ts";
import type { TokenStream } from "./token-streams.ts";

export interface Generated {
  readonly answer: string;
  /** The replica that answered. */
  readonly selected_replica: string;
  /** From the call of `generate` to the answer's first token, ms. */
  readonly first_token_ms?: number;
  readonly usage: TokenUsage;
}

export interface Generator {
  readonly client: ReplicaClient;
  readonly balancer: Balancer;
  readonly places: Places;
  readonly hedging: Hedging;
  readonly silence: SilenceWatch;
  readonly metrics: BalancerMetrics;
  readonly decisions?: DecisionLog;
  readonly log: Logger;
}

export interface Generating {
  readonly signal: AbortSignal;
  /** Called when the first replica is called. */
  readonly begun: () => void;
  /** Where the answer goes as it comes. */
  readonly tokens: TokenStream;
}

const WHY = {
  none: "none is configured",
  open: "each has failed too often lately to be asked now",
  gone: "its caller has left",
};

/** @throws Fail `replica_failed` when no replica is left to try; the signal's reason when it fires. */
export async function generate(
  generator: Generator,
  { job_id, deadline, submitted_at, timings, selected_replica: reserved, augmented_prompt: prompt }: LlmIn,
  { signal, begun, tokens }: Generating,
): Promise<Generated> {
  const { balancer, client, places, hedging, silence, metrics, decisions, log } = generator;
  const before = Object.values(timings).reduce((sum, { waited, worked }) => sum + waited + worked, 0);
  const failures: ReplicaError[] = [];
  const request = { job_id, deadline, reserved };
  const asked = performance.now();
  try {
    return await answerFromAny();
  } catch (error) {
    // Between two calls it is counted, and its caller may have counted it back before the first one: then nobody else
    // would. Not where the job is another worker's now, or is put back.
    if (error instanceof Fail || error instanceof Cancelled || error instanceof Expired)
      balancer.release(job_id, reserved).catch(() => {}); // its lease ends by itself
    throw error;
  }

  async function answerFromAny(): Promise<Generated> {
    for (;;) {
      const generated = await answerFromOne();
      if (generated) return generated;
    }
  }

  async function answerFromOne(): Promise<Generated | undefined> {
    const failed = failures.map((failure) => failure.url);
    const call = await places.take(
      {
        ...request,
        kind: failed.length > 0 ? "again" : "first",
        waited_ms: Math.max(0, Date.now() - submitted_at - before),
        failed,
      },
      signal,
    );
    if (typeof call === "string") {
      const reasons = failures.map((failure) => failure.message).join("; ");
      throw new Fail("replica_failed", `no LLM replica answered: ${reasons || WHY[call]}`);
    }
    begun();
    return hedging.run(call, signal, attempt, async () => {
      const others = {
        ...request,
        job_id: `${job_id}#hedge`,
        kind: "hedge",
        waited_ms: 0,
        failed: [...failed, call.url],
      } as const;
      const dispatched = await balancer.dispatch(others).catch(() => undefined);
      return dispatched?.kind === "go" ? dispatched.call : undefined;
    });
  }

  async function attempt({ call, signal, answering }: Attempt): Promise<Generated | undefined> {
    const { url } = call;
    metrics.decided(call);
    const started = performance.now();
    const run = tokens.run();
    const hang = new AbortController();
    let first_token_ms: number | undefined;
    let sign_ms: number | undefined;
    // Once for each job: whatever is silent at two replicas may be a prompt that takes long anywhere.
    const unwatch = failures.some(({ code }) => code === "silent")
      ? () => {}
      : silence.watch(call, prompt.length, (silent_ms) => {
          const what = `hangs: it gave no sign of life, and this call no token in ${Math.round(silent_ms)} ms`;
          hang.abort(new ReplicaError("silent", url, what));
        });
    const onSign = () => {
      unwatch();
      sign_ms ??= performance.now() - started;
      silence.token(url);
      answering();
    };
    const onToken = (text: string) => {
      onSign();
      if (signal.aborted) return; // the other of two calls answers
      first_token_ms ??= performance.now() - asked;
      run(text);
    };
    const ended = (outcome: CallOutcome["outcome"]) => {
      unwatch();
      return over(call, { outcome, latency_ms: performance.now() - started, first_token_ms: sign_ms });
    };
    try {
      let counted: ReplicaUsage = {};
      const onUsage = (usage: ReplicaUsage) => (counted = usage);
      const either = AbortSignal.any([signal, hang.signal]);
      const answer = await client.generate({ url, prompt, signal: either, onSign, onToken, onUsage });
      ended("ok");
      return { answer, selected_replica: url, first_token_ms, usage: usageOf(counted, prompt, answer) };
    } catch (error) {
      if (!(error instanceof ReplicaError)) {
        ended("aborted");
        throw error;
      }
      log.warn({ job_id, replica: url, code: error.code, err: error }, "a replica failed: trying another");
      failures.push(error);
      await ended(error.code === "silent" ? "silent" : "failed");
      return undefined;
    }
  }

  /** The answer does not wait for it; the next try does, as it asks what this one tells. */
  async function over(call: Call, told: Omit<CallOutcome, "again">): Promise<void> {
    const { outcome, latency_ms } = told;
    silence.told(call.url);
    metrics.over(call, outcome, latency_ms);
    decisions?.add(call, { outcome, latency_ms });
    // A job whose replica failed is dispatched again, and stays counted until then; its hedge is not.
    const again = (outcome === "failed" || outcome === "silent") && call.job_id === job_id;
    try {
      const [before, after] = await balancer.finish(call, { ...told, prompt_chars: prompt.length, again });
      if (before === after) return;
      metrics.breaker(call.url, after);
      log.warn({ replica: call.url, before, after }, "circuit breaker");
    } catch (error) {
      // Its lease ends by itself, and the gateway counts it back.
      log.debug({ job_id, err: error }, "the balancer was not told how a call ended");
    }
  }
}

function usageOf(counted: ReplicaUsage, prompt: string, answer: string): TokenUsage {
  const { prompt_tokens = estimateTokens(prompt), completion_tokens = estimateTokens(answer) } = counted;
  const missing = counted.prompt_tokens === undefined || counted.completion_tokens === undefined;
  return { prompt_tokens, completion_tokens, ...(missing && { estimated: true }) };
}
