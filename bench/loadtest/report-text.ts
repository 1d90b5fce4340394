/** The report as text for people: a summary, then a table per subject. */
import type { Report } from "./report.ts";

export function reportText(report: Report): string {
  return [
    summary(report),
    latency(report),
    answers("Replica", report.replicas),
    answers("Worker", report.workers),
    stages(report),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function summary({ requests, successful, failed, failures, ...run }: Report): string {
  return [
    `Gateway     ${run.url}, ${run.concurrency} in flight`,
    `Duration    ${run.duration_s.toFixed(2)} s`,
    `Requests    ${requests}`,
    `Successful  ${successful} (${share(successful, requests)})`,
    `Failed      ${failed} (${share(failed, requests)})`,
    ...Object.entries(failures).map(([reason, count]) => `            ${reason} x${count}`),
    `Throughput  ${run.throughput_rps.toFixed(1)} requests/s`,
  ].join("\n");
}

function latency({ latency_ms: { min, p50, p95, p99, max, avg } }: Report): string {
  return table(
    ["Latency", "min", "P50", "P95", "P99", "max", "avg"],
    [["ms", ...[min, p50, p95, p99, max, avg].map(ms)]],
  );
}

function answers(title: string, counts: Record<string, number>): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return table(
    [title, "answers", "share"],
    Object.entries(counts).map(([name, count]) => [name, String(count), share(count, total)]),
  );
}

function stages(report: Report): string {
  return table(
    ["Stage, ms", "waited P50", "waited P95", "worked P50", "worked P95"],
    Object.entries(report.stages).map(([name, { waited, worked }]) => [
      name,
      ...[waited.p50, waited.p95, worked.p50, worked.p95].map(ms),
    ]),
  );
}

function ms(value: number | null): string {
  return value === null ? "-" : value.toFixed(2);
}

function share(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Names to the left, figures to the right; empty if there are no rows. */
function table(header: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(10, ...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join("  "),
    )
    .join("\n");
}
