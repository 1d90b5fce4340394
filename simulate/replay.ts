/**
 * A decision log (`DECISION_LOG` of the LLM workers) as a scenario: what came when, and what each replica did with it.
 * Off-policy: another policy calls other replicas, so a call takes what is drawn from all that its replica was seen to
 * take, whatever the load. Where the load made a replica slow, a replay cannot tell by how much less it would have.
 */
import { DEFAULT_SETTINGS } from "#balancer";
import { type ReplicaModel, replica, type Scenario } from "./scenario.ts";

interface Logged {
  readonly at: number;
  readonly replica: string;
  readonly outcome: "ok" | "failed" | "silent" | "aborted";
  readonly latency_ms: number;
}

export interface Replay {
  readonly scenario: Scenario;
  readonly urls: readonly string[];
  /** Share of the logged calls, by replica. */
  readonly shares: readonly number[];
}

/** More than any replica serves at once: what a call took says already how full it was. */
const UNLIMITED = 1_000_000;
const MOST_SAMPLES = 20_000;

/** @throws Error that names the line which is no decision, or says that there is none. */
export function replayOf(text: string): Replay {
  const logged = text
    .split("\n")
    .flatMap((line, i) => (line.trim() === "" ? [] : [decision(line, i + 1)]))
    .filter(({ outcome }) => outcome !== "aborted");
  if (logged.length < 2)
    throw new Error("there are no decisions in it: set DECISION_LOG for the LLM workers");
  const urls = [...new Set(logged.map(({ replica }) => replica))].sort();
  const of = urls.map((url) => logged.filter(({ replica }) => replica === url));
  const began = logged
    .filter(({ outcome }) => outcome === "ok")
    .map(({ at, latency_ms }) => at - latency_ms)
    .sort((a, b) => a - b);
  const gaps = began.map((at, i) => Math.max(0, at - (began[i - 1] ?? at)));
  const scenario: Scenario = {
    about: `${logged.length} logged calls of ${urls.length} replicas`,
    replicas: of.map(modelOf),
    service: { kind: "constant", mean: 1 },
    arrivals: { gaps },
    faults: [],
    settings: DEFAULT_SETTINGS,
    line_ms: 0,
    gateways: 1,
    first_token_ms: 30_000,
    deadline_ms: 60_000,
    health_ms: 0,
    queries: began.length,
    warm_up: 0,
  };
  return { scenario, urls, shares: of.map((calls) => calls.length / logged.length) };
}

function modelOf(calls: readonly Logged[]): ReplicaModel {
  const took = (wanted: Logged["outcome"]) =>
    calls.filter(({ outcome }) => outcome === wanted).map(({ latency_ms }) => latency_ms);
  const failed = [...took("failed"), ...took("silent")];
  const samples = took("ok").slice(-MOST_SAMPLES);
  return replica({
    slots: UNLIMITED,
    fail_rate: failed.length / calls.length,
    fail_ms: failed.reduce((sum, ms) => sum + ms, 0) / Math.max(1, failed.length),
    takes: samples.length > 0 ? { kind: "recorded", samples } : undefined,
  });
}

function decision(line: string, number: number): Logged {
  try {
    const { at, replica, outcome, latency_ms } = JSON.parse(line);
    const known = outcome === "ok" || outcome === "failed" || outcome === "silent" || outcome === "aborted";
    if (known && typeof replica === "string" && Number.isFinite(at) && Number.isFinite(latency_ms)) {
      return { at, replica, outcome, latency_ms };
    }
  } catch {
    // As any other line that is none.
  }
  throw new Error(`line ${number} is not a decision: it needs at, replica, outcome and latency_ms`);
}
