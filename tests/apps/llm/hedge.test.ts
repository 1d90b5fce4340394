/** Hedging: a late first token is asked for a second time, elsewhere, and one of the two is kept. */
import { describe, expect, test } from "bun:test";
import type { Call } from "#balancer";
import { type Attempt, Hedging } from "../../../apps/llm/hedge.ts";

const never = new AbortController().signal;
const call = (url: string): Call => ({ job_id: "job", id: url, url, probe: false, moved: false });
const FIRST = call("http://slow");
const SECOND = call("http://fast");

/** Answers at once, or not before it is aborted. */
function replicas(hangs: string, aborted: string[] = []) {
  return async ({ call: { url }, signal, answering }: Attempt): Promise<string> => {
    if (url !== hangs) {
      answering();
      return url;
    }
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        aborted.push(url);
        reject(signal.reason);
      }),
    );
  };
}

async function warmedUp(budget: number, events: string[] = []) {
  const hedging = new Hedging({ budget, observe: (event) => events.push(event) });
  for (let i = 0; i < 100; i++) await hedging.run(FIRST, never, replicas("none"), async () => undefined);
  return hedging;
}

describe("hedging", () => {
  test("keeps the call that begins to answer first, and aborts the other", async () => {
    const aborted: string[] = [];
    const events: string[] = [];
    const hedging = await warmedUp(0.03, events);
    const answer = await hedging.run(FIRST, never, replicas(FIRST.url, aborted), async () => SECOND);
    expect(answer).toBe(SECOND.url);
    expect(aborted).toEqual([FIRST.url]);
    expect(events).toEqual(["won"]);
  });

  test("is made for no more than its share of the calls", async () => {
    const hedging = await warmedUp(0.03);
    let asked = 0;
    for (let i = 0; i < 200; i++) {
      const hangs = new AbortController();
      const running = hedging.run(FIRST, hangs.signal, replicas(FIRST.url), async () => {
        asked++;
        return SECOND;
      });
      const answered = await Promise.race([running, Bun.sleep(1).then(() => "late")]);
      if (answered === "late") hangs.abort(new Error("enough"));
      await running.catch(() => {});
    }
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(0.03 * 300 + 1);
  });

  test("is off where its share is 0", async () => {
    const hedging = await warmedUp(0);
    const hangs = AbortSignal.timeout(20);
    const running = hedging.run(FIRST, hangs, replicas(FIRST.url), async () => {
      throw new Error("nobody may ask for another");
    });
    await expect(running).rejects.toThrow("timed out");
  });

  test("leaves the first call alone where no other replica has a place", async () => {
    const hedging = await warmedUp(0.03);
    const running = hedging.run(FIRST, AbortSignal.timeout(20), replicas(FIRST.url), async () => undefined);
    await expect(running).rejects.toThrow("timed out");
  });

  test("is tried again for a late call that found no place at first, and costs nothing until then", async () => {
    const events: string[] = [];
    const hedging = await warmedUp(0.03, events);
    for (const call of [1, 2]) {
      let asked = 0;
      const places = async () => (++asked > 3 ? SECOND : undefined);
      expect(await hedging.run(FIRST, never, replicas(FIRST.url), places)).toBe(SECOND.url);
      expect([call, asked]).toEqual([call, 4]);
    }
    expect(events).toEqual(["won", "won"]);
  });

  test("goes to later calls, the less of its share is left", async () => {
    const slow = async ({ call: { url }, answering }: Attempt): Promise<string> => {
      await Bun.sleep(20);
      answering();
      return url;
    };
    const hedging = new Hedging({ budget: 0.05, observe: () => {} });
    await Promise.all(
      Array.from({ length: 100 }, () => hedging.run(FIRST, never, slow, async () => undefined)),
    );
    let waited_ms = 0;
    for (let i = 0; i < 4; i++) {
      const began = performance.now();
      await hedging.run(FIRST, never, replicas(FIRST.url), async () => SECOND);
      waited_ms = performance.now() - began;
    }
    expect(waited_ms).toBeGreaterThan(2 * 20); // what counts as late is 20 ms
  });

  test("takes the other's answer where one of the two fails", async () => {
    const hedging = await warmedUp(0.03);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const attempt = async ({ call, answering }: Attempt): Promise<string | undefined> => {
      if (call === SECOND) return undefined;
      await asked;
      answering();
      return "late, and good";
    };
    const answer = hedging.run(FIRST, never, attempt, async () => {
      resolve();
      return SECOND;
    });
    expect(await answer).toBe("late, and good");
  });
});
