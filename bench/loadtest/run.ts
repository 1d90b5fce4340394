/** One run: the load it sends, and what came of it. */
import { closedLoop } from "./closed-loop.ts";
import type { CrossCheck } from "./cross-check.ts";
import { openLoop } from "./open-loop.ts";
import { type AskOptions, ask } from "./outcome.ts";
import { questions } from "./questions.ts";
import { randomNumbers } from "./random.ts";
import { probeSelf } from "./self-probe.ts";
import type { Slo } from "./slo.ts";
import { Tally } from "./tally.ts";

export type Load =
  | {
      readonly kind: "closed";
      readonly concurrency: number;
      readonly requests: number;
      readonly duration_ms?: number;
    }
  | { readonly kind: "open"; readonly arrivals: Iterable<number> };

export interface RunOptions {
  readonly load: Load;
  readonly target: Omit<AskOptions, "signal" | "abort_after_ms">;
  /** Aborted: the run ends at once, and what is in flight is abandoned. */
  readonly signal: AbortSignal;
  readonly slo?: Slo;
  /** Share of the questions whose client hangs up midway. */
  readonly abort_share?: number;
  readonly crossCheck?: CrossCheck;
  /** After each request that has ended. */
  readonly onEnd?: (tally: Tally) => void;
}

export interface RunResult {
  readonly tally: Tally;
  readonly elapsed_ms: number;
  readonly most_in_flight: number;
  /** Set where nobody listens: it was seen by the first request, and the run was not made. */
  readonly unreachable?: string;
}

const SEED = 2;
/** How soon clients hang up while nothing is known of how long an answer takes. */
const FIRST_ABORTS_MS = 50;
const ABORTS_UP_TO = 1.2;

export async function run(options: RunOptions): Promise<RunResult> {
  const { load, target, slo, abort_share = 0, crossCheck, onEnd } = options;
  const tally = new Tally(slo);
  const random = randomNumbers(SEED);
  const unreachable = new AbortController();
  const signal = AbortSignal.any([options.signal, unreachable.signal]);
  const started = performance.now();
  let in_flight = 0;
  let most_in_flight = 0;

  /** Up to a little more than half of the answers take: some hang up early, some late, some just after the answer. */
  const abortAfter = () =>
    random() < abort_share
      ? random() * ABORTS_UP_TO * (tally.service.percentile(50) ?? FIRST_ABORTS_MS)
      : undefined;

  async function send(index: number, due_at = performance.now()): Promise<void> {
    const question = questions[index % questions.length]!;
    const abort_after_ms = abort_share > 0 ? abortAfter() : undefined;
    most_in_flight = Math.max(most_in_flight, ++in_flight);
    const sent = { at_ms: due_at - started, lag_ms: performance.now() - due_at };
    const outcome = await ask(question, { ...target, signal, abort_after_ms });
    in_flight--;
    // Nobody has answered yet and nobody listens: the rest would fare no better.
    if (outcome.kind === "unreachable" && tally.requests === 0) unreachable.abort(outcome.reason);
    if (outcome.kind === "answered") crossCheck?.check(question, outcome.answer);
    tally.add(outcome, sent);
    onEnd?.(tally);
  }

  if (load.kind === "open") {
    const stopProbe = probeSelf(tally.probe);
    await openLoop({ arrivals: load.arrivals, signal }, send);
    stopProbe();
  } else {
    const { concurrency, requests, duration_ms } = load;
    const until =
      duration_ms === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(duration_ms)]);
    await closedLoop({ requests, concurrency, signal: until }, (index) => send(index));
  }
  const elapsed_ms = performance.now() - started;
  return {
    tally,
    elapsed_ms,
    most_in_flight,
    ...(unreachable.signal.aborted && { unreachable: String(unreachable.signal.reason) }),
  };
}
