/** What the decisions promise, in simulated time. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { DEFAULT_SETTINGS, POLICIES, type PolicyName } from "#balancer";
import { replica, SCENARIOS, type Scenario, scenario } from "../../simulate/scenario.ts";
import { type Result, type Rival, simulate } from "../../simulate/simulation.ts";

setDefaultTimeout(60_000);

const PROXY: Rival = { maxconn: 8, redispatch: true, retries: false, interval_ms: 1_000, fall: 3, rise: 2 };
/** Those that look at what replicas do. */
const WATCHFUL: PolicyName[] = POLICIES.filter((policy) => policy !== "round-robin");

const short = (name: string, queries = 10_000): Scenario => ({
  ...SCENARIOS[name]!,
  settings: { ...DEFAULT_SETTINGS, limit: 8 },
  queries,
});
/** What the proxy makes of a scenario: the same for every policy that is held against it. */
const proxied = new Map<string, Promise<Result>>();
function byProxy(name: string): Promise<Result> {
  const run = proxied.get(name) ?? simulate(short(name), PROXY, 1);
  proxied.set(name, run);
  return run;
}
const share = ({ replicas }: Result, i: number) =>
  replicas[i]!.calls / replicas.reduce((sum, { calls }) => sum + calls, 0);

test.each([...POLICIES])("%s: the same seed gives the same run, another seed another", async (policy) => {
  const { cpu_ms: _, ...first } = await simulate(short("fleet", 1_000), policy, 7);
  const { cpu_ms: __, ...again } = await simulate(short("fleet", 1_000), policy, 7);
  const { cpu_ms: ___, ...other } = await simulate(short("fleet", 1_000), policy, 8);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test("every query is answered or told of, whatever happens to the replicas", async () => {
  for (const name of Object.keys(SCENARIOS).filter((name) => name !== "thousand")) {
    const { counted, answered, errors, late, replicas } = await simulate(
      { ...short(name, 3_000), warm_up: 0 },
      "least-connections",
      1,
    );
    expect(counted).toBe(3_000);
    expect(answered + errors + late).toBe(3_000);
    expect(replicas.reduce((sum, { answers }) => sum + answers, 0)).toBe(answered + late);
  }
});

describe("a replica five times as slow as the others", () => {
  test.each(WATCHFUL)("%s: gets under 1 % of the calls, and does not show in the P99", async (policy) => {
    const [ours, proxy] = [await simulate(short("slow"), policy, 1), await byProxy("slow")];
    expect(share(ours, 0)).toBeLessThan(0.01);
    expect(ours.p99).toBeLessThan(0.7 * proxy.p99);
    expect(ours.errors).toBe(0);
  });

  test.each(WATCHFUL)("%s: is found again within ten seconds once it is fast", async (policy) => {
    const recovers = scenario(0.4, {
      about: "",
      replicas: [replica({ slow: 5 }), replica(), replica()],
      settings: { ...DEFAULT_SETTINGS, limit: 8 },
      queries: 8_000,
      warm_up: 0,
    });
    const per_ms = "per_ms" in recovers.arrivals ? recovers.arrivals.per_ms : 0;
    const whole_ms = recovers.queries / per_ms;
    const at = whole_ms - 20_000;
    const stays = await simulate(recovers, policy, 1);
    const back = await simulate({ ...recovers, faults: [{ at, replica: 1, slow: 1 }] }, policy, 1);
    // Had it got a third of what came from ten seconds after on; while it starts slowly, somewhat less.
    const third = (10_000 * per_ms) / 3;
    expect(back.replicas[0]!.calls - stays.replicas[0]!.calls).toBeGreaterThan(0.8 * third);
  });
});

test.each(WATCHFUL)(
  "%s: a replica that fails half of its calls attracts none, and no caller sees it",
  async (policy) => {
    const result = await simulate(short("failing", 6_000), policy, 1);
    expect(result.errors).toBe(0);
    expect(share(result, 0)).toBeLessThan(1 / 3);
  },
);

test.each(WATCHFUL)("%s: a replica that hangs is used again as soon as it returns", async (policy) => {
  const [ours, proxy] = [await simulate(short("hanging"), policy, 1), await byProxy("hanging")];
  expect(ours.p99).toBeLessThan(1.05 * proxy.p99);
  expect(ours.errors).toBe(0);
});

test("a limit that adapts comes near to what the replicas serve at once", async () => {
  const set = await simulate(short("answers"), "least-connections", 1);
  const adapted = await simulate(
    { ...short("answers"), settings: { ...DEFAULT_SETTINGS, limit: 0 } },
    "least-connections",
    1,
  );
  expect(adapted.p99).toBeLessThan(1.2 * set.p99);
});
