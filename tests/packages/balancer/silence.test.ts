/** When a silent replica counts as one that hangs, as Redis runs it, at times of the test's own. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { LuaEngine } from "wasmoon";
import { decisionsEngine } from "./decisions-engine.ts";

let lua: LuaEngine;
beforeAll(async () => {
  lua = await decisionsEngine(`
    local START = 1e9
    -- Two replicas whose first tokens take these ms, in turn, for prompts of 100: the last at START.
    local function two(first_tokens)
      local all = {}
      for i = 1, 2 do
        local r = Replica.fresh(START)
        r.url, r.running, r.age = i, 0, 0
        for _ = 1, 20 do
          for _, ms in ipairs(first_tokens) do
            Silence.first_token(r, ms, 100)
            Replica.succeeded(r, START, 'call', ms, 1, s)
          end
        end
        all[i] = r
      end
      return all
    end
    -- What is said after silent_ms of a call that began at START, and of one more at once, while the other replica was
    -- heard last at heard_ms.
    function look(first_tokens, silent_ms, heard_ms, chars, token_ms)
      local all = two(first_tokens)
      all[2].sign_at = START + heard_ms
      if token_ms then
        Silence.sign(all[1], START + token_ms)
      end
      local again, news = Silence.look(all[1], all, START, chars, START + silent_ms, s)
      if news then
        Replica.fell_silent(all[1], START + silent_ms, 'call', 0, s)
      end
      local second, news_again = Silence.look(all[1], all, START, chars, START + silent_ms, s)
      return { again = again or -1, second = second or -1, news = news == true, again_news = news_again == true,
        fails = all[1].fails, typical = all[1].typical }
    end
    function off()
      local all = two({ 100 })
      return Silence.patience(all[1], 100, setmetatable({ hang_factor = 0 }, { __index = s })) == nil
    end
    function unknown()
      return Silence.patience(Replica.fresh(START), 100, s) == nil
    end
    -- Whether it counts as back once it says that it is well, after each of two hangs of the same kind.
    function returns()
      local r = two({ 100 })[1]
      Replica.fell_silent(r, START + 1000, 'call', 0, s)
      Silence.well(r, START + 2000)
      local first = Replica.is_back(r)
      Replica.fell_silent(r, START + 3000, 'probe', 0, s)
      Silence.well(r, START + 4000)
      local second = Replica.is_back(r)
      Replica.succeeded(r, START + 5000, 'tried', 100, 1, s)
      return { first = first, second = second, hangs = Silence.hangs(r) }
    end`);
});
afterAll(() => lua.global.close());

interface Looked {
  /** ms until it is to be looked at again; 0: it hangs, -1: no telling. */
  readonly again: number;
  readonly second: number;
  readonly news: boolean;
  readonly again_news: boolean;
  readonly fails: number;
  readonly typical: number;
}

const look = (first_tokens: string, silent_ms: number, heard_ms: number, chars = 100, token_ms = "nil") =>
  lua.doString(
    `return look({${first_tokens}}, ${silent_ms}, ${heard_ms}, ${chars}, ${token_ms})`,
  ) as Promise<Looked>;

test("a replica hangs that is silent for far longer than its first tokens take, while another is heard", async () => {
  expect((await look("200", 400, 300)).again).toBeGreaterThan(0);
  expect((await look("200", 600, 300)).again).toBe(0);
});

test("a hang is one failure, however many of its calls ask, and leaves its latency as it was", async () => {
  expect(await look("200", 600, 300)).toMatchObject({ news: true, second: 0, again_news: false, fails: 1 });
  expect((await look("200", 600, 300)).typical).toBeCloseTo(200);
});

test("while no other is heard, nothing hangs, however long the silence", async () => {
  expect((await look("200", 60_000, 0)).again).toBeGreaterThan(0);
});

test("first tokens that differ much make it patient", async () => {
  expect((await look("50, 100, 1000", 2_000, 1_500)).again).toBeGreaterThan(0);
});

test("a longer prompt than usual may take longer, in proportion", async () => {
  expect((await look("200", 600, 300, 1_000)).again).toBeGreaterThan(3_000);
});

test("a token of any of its calls is a sign of life", async () => {
  expect((await look("200", 600, 500, 100, "400")).again).toBeGreaterThan(200);
});

test("a short pause is no hang, however fast the replica", async () => {
  expect((await look("2", 400, 300)).again).toBeGreaterThan(0);
});

test("nothing hangs while too little is known, or where hangs are not looked for", async () => {
  expect(await lua.doString("return unknown()")).toBe(true);
  expect(await lua.doString("return off()")).toBe(true);
});

test("one that says that it is well is tried at once, but not if it then hung again; an answer makes it awake", async () => {
  expect(await lua.doString("return returns()")).toEqual({ first: true, second: false, hangs: false });
});
