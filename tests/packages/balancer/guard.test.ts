/** The guard of `learned`, as Redis runs it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type LuaEngine, LuaFactory } from "wasmoon";
import { decisions } from "#balancer";

let lua: LuaEngine;
beforeAll(async () => {
  lua = await new LuaFactory().createEngine();
  await lua.doString(`${decisions}
    local g
    -- Shares of the time that each policy decides, over ten minutes with a call every 20 ms.
    function course(learned_ms, control_ms)
      g = g or {}
      for name, value in pairs(Guard.START) do
        if g[name] == nil then g[name] = value end
      end
      local learned, calls = 0, 0
      for now = 0, 600000, 20 do
        calls = calls + 1
        local policy = Guard.policy(g, now)
        if policy == 'learned' then learned = learned + 1 end
        local usual = policy == 'learned' and learned_ms or control_ms
        Guard.hear(g, now, usual * (0.5 + math.random()))
      end
      return learned / calls
    end
    function forget() g = nil end`);
});
afterAll(() => lua.global.close());

const course = (learned_ms: number, control_ms: number): number =>
  lua.global.get("course")(learned_ms, control_ms);

test("learned decides seven eighths of the time while it is as good", () => {
  lua.global.get("forget")();
  expect(course(100, 100)).toBeCloseTo(7 / 8, 1);
});

test("learned that is worse decides one eighth of the time, and more again when it is better", () => {
  lua.global.get("forget")();
  expect(course(300, 100)).toBeLessThan(0.2);
  expect(course(300, 100)).toBeCloseTo(1 / 8, 1);
  expect(course(80, 100)).toBeGreaterThan(0.7);
});
