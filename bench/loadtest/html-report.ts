/** The report as one HTML file that needs nothing beside it. What came from outside is escaped. */
import { linePlot, type Series } from "./plot.ts";
import type { Report } from "./report.ts";
import { reportText } from "./report-text.ts";
import { latencyLimit, type SweepReport, type SweepStep, sweepText } from "./sweep-report.ts";

/** The percentile scale: each tick has ten times fewer requests beyond it. */
const PERCENTILE_TICKS: [x: number, label: string][] = [0, 90, 99, 99.9, 99.99, 99.999].map((percent) => [
  beyond(1 - percent / 100),
  `${percent} %`,
]);

export function htmlReport(report: Report): string {
  const { histograms, timeline, duration_s, load } = report;
  const latencies = [distribution("latency", histograms.latency)];
  if (load !== "closed") latencies.push(distribution("service", histograms.service));
  const tokens = [
    distribution("first token", histograms.first_token),
    distribution("token gap", histograms.token_gap),
  ];
  const perSecond = (name: string, of: (second: Report["timeline"][number]) => number | null): Series => ({
    name,
    points: timeline.flatMap((second, at) => {
      const y = of(second);
      return y === null ? [] : [[at, y] as const];
    }),
  });
  const percentiles = (title: string, series: readonly Series[]) => {
    const most = Math.max(0, ...series.flatMap(({ points }) => points.map(([x]) => x)));
    const ticks = PERCENTILE_TICKS.filter(([x]) => x <= most);
    return linePlot({ title, x: "percentile", y: "ms", series, ticks });
  };
  return page(`Load test of ${report.url}`, `${duration_s.toFixed(1)} s, ${load}`, reportText(report), [
    percentiles("Latency by percentile", latencies),
    percentiles("Tokens by percentile", tokens),
    linePlot({
      title: "Latency over the run",
      x: "second in which requests were due",
      y: "ms",
      series: [perSecond("P50", ({ p50_ms }) => p50_ms), perSecond("P99", ({ p99_ms }) => p99_ms)],
    }),
    linePlot({
      title: "Requests over the run",
      x: "second in which requests were due",
      y: "requests/s",
      series: [
        perSecond("sent", ({ sent }) => sent),
        perSecond("answered", ({ answered }) => answered),
        perSecond("failed", ({ failed }) => failed),
      ],
    }),
  ]);
}

export function htmlSweepReport(sweep: SweepReport): string {
  // A step whose generator lagged says nothing of the gateway.
  const steps = sweep.knee.steps
    .filter(({ outcome }) => outcome !== "lagged")
    .toSorted((a, b) => a.rate - b.rate);
  const byRate = (name: string, of: (step: SweepStep) => number | null): Series => ({
    name,
    points: steps.flatMap((step) => {
      const y = of(step);
      return y === null ? [] : [[step.rate, y] as const];
    }),
  });
  const limit = latencyLimit(steps);
  return page(`Sweep of ${sweep.url}`, "The highest rate that keeps the SLO", sweepText(sweep), [
    linePlot({
      title: "Latency by rate",
      x: "requests/s",
      y: "ms",
      series: [byRate("P50", ({ p50_ms }) => p50_ms), byRate("P99", ({ p99_ms }) => p99_ms)],
      level: limit === null ? undefined : { y: limit, name: `limit ${limit} ms` },
    }),
    linePlot({
      title: "Goodput by rate",
      x: "requests/s",
      y: "good answers/s",
      series: [byRate("goodput", ({ slo }) => slo.goodput_rps)],
    }),
  ]);
}

/** Milliseconds by percentile, from a histogram's buckets. */
function distribution(name: string, buckets: Report["histograms"]["latency"]): Series {
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  const points = buckets.map(([up_to_ms, count]) => {
    const x = beyond((all - seen) / all);
    seen += count;
    return [x, up_to_ms] as const;
  });
  return { name, points };
}

/** A decade to the right for each ten times fewer requests beyond. */
function beyond(share: number): number {
  return -Math.log10(share);
}

function page(title: string, subtitle: string, text: string, plots: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${Bun.escapeHTML(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; color: #1c2128; background: #fff; }
pre { overflow-x: auto; padding: 1em; background: #f4f6f8; font-size: 13px; }
figure { margin: 2em 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; font-size: 12px; }
polyline { fill: none; stroke-width: 1.5; }
.grid { stroke: #e3e7eb; } .level { stroke: #cf222e; stroke-dasharray: 4 4; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
</style>
<h1>${Bun.escapeHTML(title)}</h1>
<p>${Bun.escapeHTML(subtitle)}</p>
<pre>${Bun.escapeHTML(text)}</pre>
${plots.filter((plot) => plot !== "").join("\n")}
</html>
`;
}
