/** The balancer's bench keeps running: each contender answers before replicas of which one hangs. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { contenders, missingProxies } from "../../bench/balancer/contenders/index.ts";
import { SCENARIOS } from "../../bench/balancer/scenario.ts";
import { Stand } from "../../bench/balancer/stand.ts";

setDefaultTimeout(60_000);

const missing = missingProxies();
if (missing.length > 0)
  console.warn(`SKIPPED: ${missing.join(" and ")} not installed (apt-get install ${missing.join(" ")})`);

for (const contender of contenders(["least-connections"])) {
  test.concurrent.skipIf(missing.includes(contender.name))(
    `${contender.name} is measured while a replica hangs`,
    async () => {
      const stand = await Stand.start(contender, SCENARIOS.hanging);
      const { p50_ms, p99_ms, asked, errors, shares } = await stand.round(1_000, 1);
      await stand.stop();
      expect(asked).toBeGreaterThan(20);
      expect(errors).toBe(0);
      expect(p50_ms).toBeGreaterThanOrEqual(200); // what a replica takes
      expect(p99_ms).toBeGreaterThanOrEqual(p50_ms);
      expect(shares).toHaveLength(4);
      expect(Math.round(shares.reduce((sum, share) => sum + share, 0))).toBe(100);
    },
  );
}
