import { expect, setDefaultTimeout, test } from "bun:test";

setDefaultTimeout(120_000);

test("the encoder's bench compares all engines on all loads, and prints one object", async () => {
  const bench = Bun.spawn(
    [process.execPath, "bench/encoder/main.ts", "--json", "--rounds", "1", "--texts", "2"],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const report = JSON.parse(await new Response(bench.stdout).text());
  expect(await bench.exited).toBe(0);
  expect(Object.keys(report.loads)).toEqual(["short queries", "128-token chunks", "mixed"]);
  for (const engines of Object.values<Record<string, unknown>>(report.loads)) {
    expect(Object.keys(engines)).toEqual(["fp32", "int8", "memory", "redis", "stock-1", "stock-32", "wasm"]);
    for (const figures of Object.values(engines)) {
      expect(figures).toMatchObject({
        texts_per_s: { median: expect.any(Number) },
        p50_ms: expect.any(Number),
        p99_ms: expect.any(Number),
        rss_mb: expect.any(Number),
      });
    }
  }
  expect(report.mixed_times_as_fast).toHaveLength(3);
});
