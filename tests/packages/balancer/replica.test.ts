/** What a replica's calls tell of it, as Redis runs it, at times of the test's own. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { LuaEngine } from "wasmoon";
import { decisionsEngine } from "./decisions-engine.ts";

let lua: LuaEngine;
beforeAll(async () => {
  lua = await decisionsEngine(`
    -- Calls of {at, latency, failed} on a new replica; what is known of it then.
    function after(calls)
      local r = Replica.fresh(1e9)
      r.running, r.age = 1, 0
      for _, call in ipairs(calls) do
        if call[3] then
          Replica.failed(r, 1e9 + call[1], 'call', call[2], 0, s)
        else
          Replica.succeeded(r, 1e9 + call[1], 'call', call[2], 1, s)
        end
      end
      return r
    end`);
});
afterAll(() => lua.global.close());

type Seen = Record<"typical" | "usual" | "back_at" | "opens", number> & { breaker: string };
const after = async (calls: string): Promise<Seen> => lua.doString(`return after({${calls}})`);

test("one failure in a quiet hour does not make a replica look slow", async () => {
  const { typical } = await after("{0, 100}, {3600000, 2, true}");
  expect(typical).toBeLessThan(150);
});

test("failures do not change what a call usually takes", async () => {
  const { usual } = await after("{0, 100}, {60000, 2, true}, {120000, 2, true}, {180000, 2, true}");
  expect(usual).toBe(100);
});

test("a call that ends after a silence does not count as slow, but as a return", async () => {
  const { typical, back_at } = await after("{0, 100}, {5000, 4900}");
  expect(back_at).toBeGreaterThan(0);
  expect(typical).toBeLessThan(4_900);
  const found = await after("{0, 100}, {5000, 4900}, {5110, 105}");
  expect(found.back_at).toBe(0);
  expect(found.typical).toBe(105);
});

test("eight failures in a row open no breaker, ten do", async () => {
  const bad = Array.from({ length: 8 }, (_, i) => `{${i}, 5, true}`).join();
  expect((await after(`{0, 5}, ${bad}`)).breaker).toBe("closed");
  expect((await after(`{0, 5}, ${bad}, {8, 5, true}, {9, 5, true}`)).breaker).toBe("open");
});
