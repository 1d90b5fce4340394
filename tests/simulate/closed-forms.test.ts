/**
 * The simulated line waits as queueing theory says that it must. Means of a queue come near to their formula only over
 * a million calls, so it goes in two steps: a few lines that do nothing but queue must come to the same mean over
 * the very calls that are simulated, and to that of the formula over a million of their own.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { LuaFactory } from "wasmoon";
import { DEFAULT_SETTINGS } from "#balancer";
import workload from "../../simulate/lua/workload.lua" with { type: "text" };
import { replica, type Scenario, scenario } from "../../simulate/scenario.ts";
import { simulate } from "../../simulate/simulation.ts";
import { SeededRandom } from "../chaos/random.ts";

setDefaultTimeout(60_000);

const MEAN_MS = 100;
const SEED = 3;
/** But for rounding. */
const EXACTLY = 1e-6;

/** Mean wait of calls, ms: of each the time since the one before it, then its service time. */
type MeanWait = (calls: ArrayLike<number>) => number;

/** Replicas that serve one call at a time, for exponential service times; nothing ever fails. */
function queue(load: number, k: number, { shared = false, limit = 1 } = {}): Scenario {
  return scenario(load, {
    about: "",
    replicas: Array.from({ length: k }, () => replica({ slots: 1, shared })),
    service: { kind: "exponential", mean: MEAN_MS },
    settings: { ...DEFAULT_SETTINGS, limit },
    line_ms: 0,
    health_ms: 0,
    first_token_ms: 1e9,
    deadline_ms: 1e9,
    queries: 3_000,
    warm_up: 0,
  });
}

/** First come, first served by `k`, each of which is free at some time (Kiefer and Wolfowitz, 1955). */
function inOrder(k: number): MeanWait {
  return (calls) => {
    const free_at = new Float64Array(k);
    let [now, sum] = [0, 0];
    for (let i = 0; i < calls.length; i += 2) {
      now += calls[i]!;
      let first = 0;
      for (let one = 1; one < k; one++) if (free_at[one]! < free_at[first]!) first = one;
      const begins = Math.max(now, free_at[first]!);
      free_at[first] = begins + calls[i + 1]!;
      sum += begins - now;
    }
    return sum / (calls.length / 2);
  };
}

/** All at once by one, which gives each the same share of itself. A wait is what a call takes beyond its own work. */
const shared: MeanWait = (calls) => {
  let left: number[] = []; // of each call's work
  let sum = 0;
  for (let i = 0; i <= calls.length; i += 2) {
    let elapsed = calls[i] ?? Infinity;
    while (left.length > 0 && elapsed > 0) {
      const work = Math.min(elapsed / left.length, ...left);
      sum += work * left.length * (left.length - 1);
      elapsed -= work * left.length;
      left = left.map((rest) => rest - work).filter((rest) => rest > 1e-9);
    }
    if (i < calls.length) left.push(calls[i + 1]!);
  }
  return sum / (calls.length / 2);
};

/** Mean wait of M/M/k: Erlang's C, over what is left of the capacity. */
function meanWait(load: number, k: number): number {
  const offered = load * k;
  let term = 1;
  let sum = 1;
  for (let i = 1; i < k; i++) {
    term *= offered / i;
    sum += term;
  }
  const last = (term * offered) / k / (1 - load);
  return ((last / (sum + last)) * MEAN_MS) / (k * (1 - load));
}

/** The calls that come in a simulation of `scenario`. */
async function simulatedCalls({ service, arrivals, queries }: Scenario): Promise<number[]> {
  const lua = await new LuaFactory().createEngine({ injectObjects: false });
  try {
    return await lua.doString(`${workload}
      local gap = arriving({ per_ms = ${"per_ms" in arrivals && arrivals.per_ms} }, stream(${SEED}))
      local service = drawing({ kind = '${service.kind}', mean = ${MEAN_MS} }, stream(${SEED + 1}))
      local calls = {}
      for i = 1, ${2 * queries}, 2 do
        calls[i], calls[i + 1] = gap(), service()
      end
      return calls`);
  } finally {
    lua.global.close();
  }
}

/** A million calls of a source of its own. */
function manyCalls(load: number, k: number): Float64Array {
  const random = new SeededRandom(SEED);
  const exponential = (mean: number) => -mean * Math.log(1 - random.next());
  return new Float64Array(2_000_000).map((_, i) => exponential(i % 2 === 0 ? MEAN_MS / load / k : MEAN_MS));
}

const near = (value: number, wanted: number, share: number) =>
  expect(Math.abs(value / wanted - 1)).toBeLessThan(share);

test.each([
  { load: 0.5, k: 1 },
  { load: 0.7, k: 3 },
])("late binding to $k replicas with a limit of one is M/M/$k, at a load of $load", async ({ load, k }) => {
  const simulated = queue(load, k);
  // In turn, since the other policies do not treat equal replicas as equal: they learn from each call.
  const { mean_wait_ms } = await simulate(simulated, "round-robin", SEED);
  near(mean_wait_ms, inOrder(k)(await simulatedCalls(simulated)), EXACTLY);
  near(inOrder(k)(manyCalls(load, k)), meanWait(load, k), 0.02);
});

test("a replica that shares itself answers in the mean as M/M/1 does, though in another order", async () => {
  const simulated = queue(0.5, 1, { shared: true, limit: 1e6 });
  const { mean_wait_ms } = await simulate(simulated, "least-connections", SEED);
  near(mean_wait_ms, shared(await simulatedCalls(simulated)), EXACTLY);
  near(shared(manyCalls(0.5, 1)), meanWait(0.5, 1), 0.02);
});
