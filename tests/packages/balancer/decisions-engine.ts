/** The balancer's decisions as Redis runs them, at times of the test's own. */
import { type LuaEngine, LuaFactory } from "wasmoon";
import { DEFAULT_SETTINGS, decisions } from "#balancer";

/** @param lua what the test has behind them; `s` are the settings. */
export async function decisionsEngine(lua: string): Promise<LuaEngine> {
  const engine = await new LuaFactory().createEngine();
  const settings = Object.entries(DEFAULT_SETTINGS).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  await engine.doString(`${decisions}\nlocal s = {${settings.join(",")}}\n${lua}`);
  return engine;
}
