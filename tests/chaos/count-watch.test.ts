/** What the watch of the counts finds wrong, and what it takes for a step under way. */
import { beforeEach, expect, test } from "bun:test";
import type { Redis } from "ioredis";
import { CountWatch } from "./count-watch.ts";

const URL = "http://a";
const LEASE_END = 100_000;
let watch: CountWatch;
beforeEach(() => {
  watch = new CountWatch({} as Redis);
});

/** A sample in which the replica counts `counted`, all of whom are admitted. */
function sample(now: number, counted: string[], live = counted, more = {}) {
  const leases = counted.flatMap((job) => [job, String(LEASE_END)]);
  const replicas = [{ url: URL, load: counted.length, counted: leases, running: [] as string[] }];
  watch.compare({ now, replicas, live, admitted: counted, done: [], ...more });
}

const problems = async () => (await watch.stop()).problems;

test("counts that are what is on the line are true", async () => {
  sample(0, ["1", "2"]);
  sample(100, ["2", "3"]);
  expect(await watch.stop()).toMatchObject({ samples: 2, most_counted: 2, most_between: 0, problems: [] });
});

test("a number that is not that of its leases is wrong at once", async () => {
  watch.compare({
    now: 0,
    replicas: [{ url: URL, load: 2, counted: ["1", "9"] }],
    live: ["1"],
    admitted: ["1"],
  });
  expect(await problems()).toEqual([`${URL} counts 2 jobs, and has 1 leases`]);
});

test("so are a job that is counted twice, and one that runs and is not counted", async () => {
  const on = (url: string) => ({ url, load: 1, counted: ["1", "9"], running: ["2"] });
  watch.compare({ now: 0, replicas: [on("http://a"), on("http://b")], live: ["1"], admitted: ["1"] });
  const found = (await problems()).join();
  expect(found).toContain("1 is counted on two replicas");
  expect(found).toContain("2 runs on http://a, and is not counted there");
});

test("between two steps a job may be for a moment, and is wrong where it stays there", async () => {
  sample(0, ["done"], []);
  sample(1_000, []);
  sample(1_100, ["leaked"], [], { done: ["leaked"] });
  sample(4_000, ["leaked"], [], { done: ["leaked"] });
  expect(await problems()).toEqual(["leaked is completed and counted, for 2900 ms"]);
});

test("a job on the line that is counted nowhere is wrong, if no other worker takes it over", async () => {
  sample(0, [], ["lost"]);
  sample(10_000, [], ["lost"]);
  expect(await problems()).toEqual(["lost is on the line and counted nowhere, for 10000 ms"]);
});

test("a reservation that was never admitted ends with its lease", async () => {
  for (const now of [0, 5_000, LEASE_END]) sample(now, ["orphan"], [], { admitted: [] });
  expect(await watch.stop()).toMatchObject({ orphans: 1, problems: [] });
});
