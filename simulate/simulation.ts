/**
 * A discrete-event simulation of the line around the balancer's own decisions: packages/balancer/lua/replica.lua and
 * policy.lua, as Redis runs them, in a Lua of its own (wasmoon, Lua 5.4 in WebAssembly). The loop runs in Lua too: a
 * call into it costs more than a decision.
 */
import { LuaFactory } from "wasmoon";
import { decisions, type PolicyName } from "#balancer";
import books from "./lua/books.lua" with { type: "text" };
import calls from "./lua/calls.lua" with { type: "text" };
import heap from "./lua/heap.lua" with { type: "text" };
import model from "./lua/model.lua" with { type: "text" };
import proxy from "./lua/proxy.lua" with { type: "text" };
import result from "./lua/result.lua" with { type: "text" };
import run from "./lua/run.lua" with { type: "text" };
import tally from "./lua/tally.lua" with { type: "text" };
import waiting from "./lua/waiting.lua" with { type: "text" };
import workload from "./lua/workload.lua" with { type: "text" };
import type { Scenario } from "./scenario.ts";

/** A proxy to measure against: least connections with a limit and a queue, and active health checks alone. */
export interface Rival {
  readonly maxconn: number;
  /** A refused connection is tried elsewhere. */
  readonly redispatch: boolean;
  /** So is any failed call. */
  readonly retries: boolean;
  readonly interval_ms: number;
  readonly fall: number;
  readonly rise: number;
}

/** Latencies of answers from admission, in ms. */
export interface Result {
  readonly counted: number;
  readonly answered: number;
  readonly errors: number;
  /** Answered after their deadline. */
  readonly late: number;
  readonly retries: number;
  readonly moves: number;
  readonly probes: number;
  /** How often a replica was found to hang. */
  readonly silences: number;
  readonly longest_line: number;
  /** Whether `peak-ewma` decided for `learned` at the end. */
  readonly falls_back: boolean;
  readonly simulated_ms: number;
  readonly mean_ms: number;
  /** Beyond the service time and the line. */
  readonly mean_wait_ms: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly replicas: readonly {
    readonly calls: number;
    readonly answers: number;
    readonly failures: number;
  }[];
  /** P50 and P99 in slices of the run. */
  readonly course: readonly { readonly p50: number; readonly p99: number }[];
  /** Processor time that the simulation itself took. */
  readonly cpu_ms: number;
}

const factory = new LuaFactory();
const SLICES = 60;

/** The same for the same seed, whatever the policy: the same arrivals, service times and faults. */
export async function simulate(
  scenario: Scenario,
  policy: PolicyName | Rival,
  seed: number,
  guard = true,
): Promise<Result> {
  const rival = typeof policy === "string" ? undefined : policy;
  const settings = typeof policy === "string" ? { ...scenario.settings, policy } : scenario.settings;
  const health_ms = rival?.interval_ms ?? scenario.health_ms;
  const config = { ...scenario, guard, settings, health_ms, rival, seed, slices: SLICES, about: undefined };
  const lua = await factory.createEngine({ injectObjects: false });
  try {
    const before = process.cpuUsage();
    const source = [
      `local config = ${literal(config)}`,
      decisions,
      heap,
      workload,
      model,
      calls,
      proxy,
      tally,
      books,
      waiting,
      run,
      result,
    ].join("\n");
    const came = await lua.doString(source);
    const { user, system } = process.cpuUsage(before);
    return { ...came, cpu_ms: (user + system) / 1_000 };
  } finally {
    lua.global.close();
  }
}

/** A value as Lua writes it. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(",")}}`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([name, field]) => `[${JSON.stringify(name)}]=${literal(field)}`).join(",")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
