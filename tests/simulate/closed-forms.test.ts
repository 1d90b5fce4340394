/** The simulated line waits as queueing theory says that it must. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { DEFAULT_SETTINGS } from "#balancer";
import { replica, type Scenario, scenario } from "../../simulate/scenario.ts";
import { simulate } from "../../simulate/simulation.ts";

setDefaultTimeout(60_000);

const MEAN_MS = 100;

/** Replicas that serve one call at a time, for exponential service times; nothing ever fails. */
function queue(load: number, k: number, { shared = false, limit = 1 }, queries: number): Scenario {
  return scenario(load, {
    about: "",
    replicas: Array.from({ length: k }, () => replica({ slots: 1, shared })),
    service: { kind: "exponential", mean: MEAN_MS },
    settings: { ...DEFAULT_SETTINGS, limit },
    line_ms: 0,
    health_ms: 0,
    first_token_ms: 1e9,
    deadline_ms: 1e9,
    queries,
  });
}

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

const near = (value: number, wanted: number) => expect(Math.abs(value / wanted - 1)).toBeLessThan(0.02);

test.each([
  { load: 0.5, k: 1 },
  { load: 0.7, k: 3 },
])("late binding to $k replicas with a limit of one is M/M/$k, at a load of $load", async ({ load, k }) => {
  // In turn, since the other policies do not treat equal replicas as equal: they learn from each call.
  const { mean_wait_ms } = await simulate(queue(load, k, {}, 150_000), "round-robin", 3);
  near(mean_wait_ms, meanWait(load, k));
});

test("a replica that shares itself answers in the mean as M/M/1 does, though in another order", async () => {
  const { mean_wait_ms } = await simulate(
    queue(0.5, 1, { shared: true, limit: 1e6 }, 150_000),
    "least-connections",
    3,
  );
  near(mean_wait_ms, meanWait(0.5, 1));
});
