/** The short version of `bun run chaos`; the long one's table is in docs/reliability.md. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { startProcess } from "../support/process.ts";

setDefaultTimeout(60_000);

const promises = {
  kill: "killed workers lose nothing and answer nothing twice",
  freeze: "workers that stand still for longer than their lease do no harm when they go on",
  cut: "cut connections lose nothing and answer nothing twice",
};

for (const [scenario, promise] of Object.entries(promises)) {
  test(promise, async () => {
    const chaos = startProcess("tests/chaos/main.ts", {}, ["--scenario", scenario, "--jobs", "600"]);
    const code = await chaos.child.exited;
    expect({ code, problems: chaos.stderr() }).toEqual({ code: 0, problems: "" });
  });
}
