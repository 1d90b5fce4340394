/** The report as text for people: a summary, then a table per subject that the run had. */
import type { Report } from "./report.ts";
import { ms, share, table } from "./text-table.ts";

export function reportText(report: Report): string {
  return [
    summary(report),
    latency(report),
    answers("Replica", report.replicas),
    answers("Worker", report.workers),
    stages(report),
    objectives(report),
    checks(report),
    verdict(report),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function summary({ requests, successful, failed, aborted, failures, load, ...run }: Report): string {
  const sent =
    load === "closed" ? `${run.concurrency} in flight` : `${load}, at most ${run.concurrency} in flight`;
  return [
    `Gateway     ${run.url}, ${sent}`,
    `Duration    ${run.duration_s.toFixed(2)} s`,
    `Requests    ${requests}`,
    `Successful  ${successful} (${share(successful, requests)})`,
    `Failed      ${failed} (${share(failed, requests)})`,
    ...Object.entries(failures).map(([reason, count]) => `            ${reason} x${count}`),
    ...(aborted > 0 ? [`Hung up     ${aborted} (${share(aborted, requests)}), on purpose`] : []),
    `Throughput  ${run.throughput_rps.toFixed(1)} requests/s`,
  ].join("\n");
}

function latency(report: Report): string {
  const row = (name: string, { min, p50, p95, p99, max, avg }: Report["latency_ms"]) => [
    name,
    ...[min, p50, p95, p99, max, avg].map(ms),
  ];
  const rows = [row("ms", report.latency_ms)];
  if (report.load !== "closed")
    rows.push(
      row("service", report.service_ms),
      row("sent late", report.lag_ms),
      row("own probe", report.probe_ms),
    );
  if (report.first_token_ms.max !== null)
    rows.push(row("1st token", report.first_token_ms), row("token gap", report.token_gap_ms));
  return table(["Latency", "min", "P50", "P95", "P99", "max", "avg"], rows);
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

function objectives({ slo, requests, aborted }: Report): string {
  if (!slo) return "";
  const rows = slo.objectives.map(({ name, limit_ms, kept, wanted, met }) => [
    name,
    `${limit_ms} ms`,
    share(kept, 1),
    // With a goodput to reach, the percentiles are told and not asked for.
    slo.goodput_wanted ? "" : share(wanted, 1),
    slo.goodput_wanted ? "" : met ? "yes" : "no",
  ]);
  const wanted = slo.goodput_wanted;
  const asked = !wanted ? "" : "rps" in wanted ? `${wanted.rps}/s` : share(wanted.share, 1);
  const reached =
    wanted && "share" in wanted ? share(slo.good, requests - aborted) : `${slo.goodput_rps.toFixed(1)}/s`;
  rows.push(["goodput", "", reached, asked, wanted ? (slo.met ? "yes" : "no") : ""]);
  return table(["SLO", "limit", "kept by", "wanted", "met"], rows);
}

function checks({ cross_check, loads }: Report): string {
  const lines: string[] = [];
  if (cross_check) {
    const { checked, crossed, distinguishable_questions } = cross_check;
    lines.push(
      `Cross-over  ${crossed.length} of ${checked} answers; ${distinguishable_questions} questions told from all others`,
      ...crossed
        .slice(0, 5)
        .map(
          ({ question, belongs_to, job_id }) =>
            `            ${job_id}: "${question}" got ${belongs_to ? `"${belongs_to}"` : "another's answer"}`,
        ),
    );
  }
  if (loads?.kind === "idle") lines.push(`Loads       all 0 (${loads.replicas} counters)`);
  if (loads?.kind === "leaked")
    lines.push(...Object.entries(loads.loads).map(([url, load]) => `Leaked      ${url} ${load}`));
  return lines.join("\n");
}

/** A plain run says what failed in its summary. */
function verdict({ verdict, slo, cross_check, loads }: Report): string {
  if (!verdict || (verdict.kind !== "refused" && !slo && !cross_check && !loads)) return "";
  return [`Verdict     ${verdict.kind}`, ...verdict.reasons.map((reason) => `            ${reason}`)].join(
    "\n",
  );
}
