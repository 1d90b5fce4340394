/** A decision log, replayed. */
import { expect, test } from "bun:test";
import { replayOf } from "../../simulate/replay.ts";
import { simulate } from "../../simulate/simulation.ts";

/** A log of calls in turn to a fast and a slow replica, ten a second. */
function logOf(calls: number): string {
  return Array.from({ length: calls }, (_, i) => {
    const slow = i % 2 === 0;
    const replica = slow ? "http://slow" : "http://fast";
    const latency_ms = (slow ? 900 : 90) + (i % 7);
    return JSON.stringify({ at: 1e12 + 100 * i + latency_ms, replica, outcome: "ok", latency_ms });
  }).join("\n");
}

test("what another policy would have chosen takes what its replica was seen to take", async () => {
  const { scenario, urls, shares } = replayOf(logOf(2_000));
  expect(urls).toEqual(["http://fast", "http://slow"]);
  expect(shares).toEqual([0.5, 0.5]);
  const logged = await simulate(scenario, "round-robin", 1);
  const other = await simulate(scenario, "peak-ewma", 1);
  expect(logged.p50).toBeGreaterThan(80);
  expect(logged.p95).toBeGreaterThan(850);
  expect(other.p95).toBeLessThan(110);
  expect(other.replicas[1]!.calls).toBeLessThan(0.02 * 2_000);
});

test("failures come as often as they were logged", async () => {
  const lines = Array.from({ length: 900 }, (_, i) =>
    JSON.stringify({
      at: 1e12 + 50 * i,
      replica: `http://${i % 3}`,
      outcome: i % 3 === 0 && i % 2 === 0 ? "failed" : "ok",
      latency_ms: 10,
    }),
  );
  const { scenario } = replayOf(lines.join("\n"));
  expect(scenario.replicas.map(({ fail_rate }) => fail_rate)).toEqual([0.5, 0, 0]);
  expect((await simulate(scenario, "least-connections", 1)).errors).toBe(0);
});

test("a line that is no decision is named", () => {
  expect(() => replayOf(`${logOf(3)}\n{"at":1}`)).toThrow("line 4");
  expect(() => replayOf("")).toThrow("DECISION_LOG");
});
