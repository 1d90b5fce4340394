/** What the encoder's process comes to hold, over many texts of mixed lengths. */
import { EngineClient } from "./engine-client.ts";
import { buildLoads } from "./loads.ts";

const TURN = 500;
const MOST_MB = 700;

export async function benchMemory({ texts, json }: { texts: number; json: boolean }): Promise<void> {
  const all = (await buildLoads(texts)).mixed;
  const peaks: Record<string, number> = {};
  for (const name of ["fp32", "int8"] as const) {
    const client = new EngineClient(name, "");
    for (let i = 0; i < all.length; i += TURN) {
      const { rss_mb } = await client.turn(all.slice(i, i + TURN));
      peaks[name] = Math.max(peaks[name] ?? 0, rss_mb);
      if (!json && (i / TURN) % 8 === 0) console.log(`  ${name}: ${i + TURN} texts, ${rss_mb.toFixed(0)} MB`);
    }
    await client.stop();
  }
  if (json) console.log(JSON.stringify({ texts, peak_rss_mb: peaks }));
  else
    for (const [name, mb] of Object.entries(peaks))
      console.log(
        `${name}: at most ${mb.toFixed(0)} MB of RSS over ${texts} texts; to reach: under ${MOST_MB}`,
      );
}
