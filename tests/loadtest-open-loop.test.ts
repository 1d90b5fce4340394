/** When requests are sent, and what their latency is counted from. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { QueryAnswer } from "#contracts";
import { arrivals } from "../bench/loadtest/arrivals.ts";
import { openLoop } from "../bench/loadtest/open-loop.ts";
import { run } from "../bench/loadtest/run.ts";
import { parseSlo, SloCount } from "../bench/loadtest/slo.ts";
import { findKnee } from "../bench/loadtest/sweep.ts";
import { judge } from "../bench/loadtest/verdict.ts";

setDefaultTimeout(60_000);

const signal = new AbortController().signal;
const running: Bun.Server<undefined>[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(true)));
});

/** A gateway that answers when `ready` says so; it is told how many requests came before. */
function gateway(ready: (index: number) => Promise<unknown> | undefined) {
  let seen = 0;
  const body: QueryAnswer = {
    job_id: "j",
    answer: "Yes.",
    latency_ms: 1,
    selected_replica: "http://r",
    worker: "w",
    sources: [],
    timings: {},
  };
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    async fetch() {
      await ready(seen++);
      return Response.json(body);
    },
  });
  running.push(server);
  return { url: `http://localhost:${server.port}`, timeout_ms: 30_000 };
}

const steady = (rate: number, duration_ms = Number.POSITIVE_INFINITY) => ({
  duration_ms,
  from: rate,
  to: rate,
});

describe("arrivals", () => {
  test("constant ones are evenly apart", () => {
    expect([...arrivals([steady(10, 1_000)], "constant")]).toEqual(
      Array.from({ length: 10 }, (_, i) => expect.closeTo(50 + 100 * i, 6)),
    );
  });

  test("on a ramp there are as many as its mean rate, ever closer together", () => {
    const sent = [...arrivals([{ duration_ms: 10_000, from: 0, to: 100 }], "constant")];
    expect(sent).toHaveLength(500);
    expect(sent.filter((at) => at < 5_000)).toHaveLength(125);
    const gaps = sent.slice(1).map((at, i) => at - sent[i]!);
    expect(gaps.every((gap, i) => i === 0 || gap < gaps[i - 1]!)).toBe(true);
  });

  test("stages follow one another", () => {
    const sent = [...arrivals([steady(10, 1_000), steady(0, 1_000), steady(20, 1_000)], "constant")];
    expect(sent.filter((at) => at < 1_000)).toHaveLength(10);
    expect(sent.filter((at) => at >= 1_000 && at < 2_000)).toHaveLength(0);
    expect(sent.filter((at) => at >= 2_000 && at < 3_000)).toHaveLength(20);
    expect(sent).toHaveLength(30);
  });

  test("Poisson ones have their rate, and gaps spread as wide as their mean; the same ones each time", () => {
    const sent = [...arrivals([steady(100)], "poisson").take(20_000)];
    const gaps = sent.map((at, i) => at - (sent[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeCloseTo(10, 0);
    expect(deviation / mean).toBeCloseTo(1, 1);
    expect([...arrivals([steady(100)], "poisson").take(20_000)]).toEqual(sent);
  });
});

describe("coordinated omission", () => {
  const STALL_MS = 500;
  /** Answers at once; but from its 40th request on, nothing for half a second. */
  function stalling() {
    let stall: Promise<unknown> | undefined;
    return gateway((index) => {
      if (index === 40) stall = Bun.sleep(STALL_MS);
      return stall;
    });
  }

  test("a stall shows in the open loop's latency, and not in the closed loop's", async () => {
    const requests = 200;
    const open = await run({
      load: { kind: "open", arrivals: arrivals([steady(200)], "constant").take(requests) },
      target: stalling(),
      signal,
    });
    const closed = await run({
      load: { kind: "closed", concurrency: 1, requests },
      target: stalling(),
      signal,
    });
    // Half of the requests were due within the stall: their waits go evenly from all of it to nothing.
    expect(open.tally.latency.percentile(90)).toBeGreaterThan(0.6 * STALL_MS);
    expect(closed.tally.service.percentile(90)).toBeLessThan(0.4 * STALL_MS);
    expect(closed.tally.service.percentile(100)).toBeGreaterThanOrEqual(0.99 * STALL_MS);
  });

  test("what the generator is late by is latency, is not service time, and refuses the verdict", async () => {
    const HELD_UP_MS = 300;
    let held = false;
    const { tally } = await run({
      load: { kind: "open", arrivals: arrivals([steady(100)], "constant").take(50) },
      target: gateway(() => undefined),
      signal,
      onEnd({ requests }) {
        if (requests < 10 || held) return;
        held = true;
        Bun.sleepSync(HELD_UP_MS);
      },
    });
    expect(tally.lag.percentile(100)).toBeGreaterThan(0.8 * HELD_UP_MS);
    expect(tally.latency.mean).toBeCloseTo(tally.service.mean! + tally.lag.mean!, 1);
    expect(judge({ tally, slo: null, max_lag_ms: HELD_UP_MS / 2 }).kind).toBe("refused");
    expect(judge({ tally, slo: null, max_lag_ms: 60_000 }).kind).toBe("passed");
  });
});

test("an aborted open loop sends nothing more, and waits for what is in flight", async () => {
  const stop = new AbortController();
  const sent: number[] = [];
  let ended = 0;
  const loop = openLoop({ arrivals: [0, 1, 600_000], signal: stop.signal }, async (index) => {
    sent.push(index);
    if (index === 1) stop.abort();
    await Bun.sleep(5);
    ended++;
  });
  await loop;
  expect(sent).toEqual([0, 1]);
  expect(ended).toBe(2);
});

test("percentiles are those of known delays", async () => {
  const delays = [20, 20, 20, 20, 20, 20, 20, 20, 20, 400];
  const { tally } = await run({
    load: { kind: "open", arrivals: arrivals([steady(100)], "constant").take(100) },
    target: gateway((index) => Bun.sleep(delays[index % delays.length]!)),
    signal,
  });
  expect(tally.service.percentile(50)).toBeGreaterThanOrEqual(19);
  expect(tally.service.percentile(50)).toBeLessThan(350);
  expect(tally.service.percentile(95)).toBeGreaterThanOrEqual(399);
  expect(tally.service.buckets().reduce((sum, [, count]) => sum + count, 0)).toBe(100);
});

describe("the SLO", () => {
  test("counts a request that failed as one that missed", () => {
    const count = new SloCount(parseSlo("p90=100ms"));
    for (let i = 0; i < 9; i++) count.add({ latency: 100 });
    count.add(undefined);
    expect(count.result(1_000)).toMatchObject({ met: true, good: 9, goodput_rps: 9, goodput_share: 0.9 });
    count.add(undefined);
    expect(count.result(1_000).met).toBe(false);
  });

  test("takes an answer for good only within every limit", () => {
    const count = new SloCount(parseSlo("p50=100ms,ttft-p50=10ms,goodput=50%"));
    count.add({ latency: 90, ttft: 5 });
    count.add({ latency: 90, ttft: 15 });
    count.add({ latency: 110, ttft: 5 });
    expect(count.result(1_000)).toMatchObject({ met: false, good: 1 });
    expect(count.result(1_000).objectives.map(({ met }) => met)).toEqual([true, true]);
  });

  test("of nothing is not met", () => {
    expect(new SloCount(parseSlo("p99=1s")).result(0)).toMatchObject({ met: false, goodput_rps: 0 });
  });
});

describe("the knee", () => {
  const line = (capacity: number) => async (rate: number) => ({
    rate,
    outcome: rate <= capacity ? ("kept" as const) : ("missed" as const),
  });

  test.each([10, 37, 137, 4_999])("of a line of %d/s is found to within a tenth", async (capacity) => {
    const { rate, found } = await findKnee(10, line(capacity), signal);
    expect(found).toBe(true);
    expect(rate).toBeLessThanOrEqual(capacity);
    expect(rate! * 1.1).toBeGreaterThanOrEqual(capacity);
  });

  test("is looked for below the first rate too", async () => {
    const { rate } = await findKnee(100, line(7), signal);
    expect(rate).toBeLessThanOrEqual(7);
    expect(rate! * 1.1).toBeGreaterThanOrEqual(7);
  });

  test("of a line that never keeps the SLO is none", async () => {
    expect(await findKnee(10, line(0), signal)).toMatchObject({ rate: null, found: true });
  });

  test("above what the generator can send is not found", async () => {
    const measure = async (rate: number) => ({
      rate,
      outcome: rate > 50 ? ("lagged" as const) : ("kept" as const),
    });
    expect(await findKnee(10, measure, signal)).toMatchObject({ rate: 40, found: false });
  });
});
