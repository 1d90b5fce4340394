/** What the watch of the counts finds wrong, and what it takes for a step under way. */
import { beforeEach, expect, test } from "bun:test";
import type { Redis } from "ioredis";
import { CountWatch } from "./count-watch.ts";

const URL = "http://a";
const LEASE_END = 100_000;
let watch: CountWatch;
let deaths = 0;
beforeEach(() => {
  deaths = 0;
  watch = new CountWatch({} as Redis, { gateway: () => deaths, any: () => deaths });
});

/** A sample in which the replica counts `counted`. */
function sample(now: number, counted: string[], live = counted, more = {}) {
  const leases = counted.flatMap((job) => [job, String(LEASE_END)]);
  const replicas = [{ url: URL, load: counted.length, counted: leases, running: [] as string[] }];
  watch.compare({ now, replicas, live, done: [], ...more });
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
  });
  expect(await problems()).toEqual([`${URL} counts 2 jobs, and has 1 leases`]);
});

test("so are a job that is counted twice, and one that runs and is not counted", async () => {
  const on = (url: string) => ({ url, load: 1, counted: ["1", "9"], running: ["2"] });
  watch.compare({ now: 0, replicas: [on("http://a"), on("http://b")], live: ["1"] });
  const found = (await problems()).join();
  expect(found).toContain("1 is counted on two replicas");
  expect(found).toContain("2 runs on http://a, and is not counted there");
});

test("between two steps a job may be for a moment, and is wrong where it stays there", async () => {
  sample(0, ["done"], []);
  sample(1_000, []);
  sample(1_100, ["leaked"], [], { done: ["leaked"] });
  sample(6_000, ["leaked"], [], { done: ["leaked"] });
  expect(await problems()).toEqual(["leaked is completed and counted, for 4900 ms"]);
});

test("a job on the line that is counted nowhere is wrong, where nobody died who had it", async () => {
  sample(0, [], ["lost"]);
  sample(10_000, [], ["lost"]);
  expect(await problems()).toEqual(["lost is on the line and counted nowhere, for 10000 ms"]);
});

test("what a gateway had counted that died ends with its lease, and not later", async () => {
  sample(0, ["orphan"]);
  deaths = 1;
  for (const now of [100, 6_000, LEASE_END]) sample(now, ["orphan"], []);
  expect(await watch.stop()).toMatchObject({ orphans: 1, problems: [] });
  sample(LEASE_END + 5_000, ["orphan"], []);
  expect(await problems()).toEqual(["orphan is counted past its lease"]);
});

test("what is counted after a gateway's death is no excuse for a leak", async () => {
  sample(0, []);
  deaths = 1;
  sample(100, []);
  sample(200, ["leaked"], []);
  sample(6_000, ["leaked"], []);
  expect(await problems()).toHaveLength(1);
});
