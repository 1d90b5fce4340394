/** The short version of `bun run chaos`; the long one's table is in docs/reliability.md. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { startProcess } from "../support/process.ts";

setDefaultTimeout(120_000);

const promises = {
  "killed, frozen and cut off workers lose nothing and answer nothing twice": ["kill", "freeze", "cut"],
  // With gateways killed among others: one line to bring up, and one wait for what they had counted.
  "clients of killed gateways come back for the same answers, and each count equals the truth throughout": [
    "counters",
  ],
};

// At once: the latter mostly waits for counts to end with their leases.
for (const [promise, scenarios] of Object.entries(promises)) {
  test.concurrent(promise, async () => {
    const flags = scenarios.flatMap((scenario) => ["--scenario", scenario]);
    const chaos = startProcess("tests/chaos/main.ts", {}, [...flags, "--jobs", "300"]);
    const code = await chaos.child.exited;
    expect({ code, problems: chaos.stderr() }).toEqual({ code: 0, problems: "" });
  });
}
