/** A scenario's results as text: a table by policy, and how the P99 went. */
import { columns } from "../scripts/command-line.ts";
import type { Scenario } from "./scenario.ts";
import type { Result } from "./simulation.ts";

/** Beyond so many replicas, only the least and the most used are shown. */
const SHARES_SHOWN = 6;
const BARS = " ▁▂▃▄▅▆▇█";

export function reportText(name: string, scenario: Scenario, results: ReadonlyMap<string, Result>): string {
  const head = [
    "policy",
    "P50",
    "P95",
    "P99",
    "P99.9",
    "errors",
    "goodput",
    "retries",
    "moved",
    "line",
    "share per replica, %",
  ];
  const rows = [...results].map(([policy, result]) => [
    policy,
    ...[result.p50, result.p95, result.p99, result.p999].map(ms),
    result.errors + result.late,
    `${goodput(result).toFixed(1)}/s`,
    result.retries,
    result.moves,
    result.longest_line,
    shares(result),
  ]);
  const most = Math.max(...[...results.values()].flatMap(({ course }) => course.map(({ p99 }) => p99)));
  const width = Math.max(...[...results.keys()].map((policy) => policy.length));
  return [
    `${name}: ${scenario.about}`,
    ...columns(head, rows),
    "",
    `P99 in the course of the run, ${BARS[1]} to ${ms(most)} ms, logarithmic`,
    ...[...results].map(([policy, { course }]) => `${policy.padEnd(width)}  ${plot(course, most)}`),
    `${speed(results)} queries simulated per second of processor time`,
  ].join("\n");
}

/** Answers in time, per second of simulated time. */
export function goodput({ answered, counted, replicas, simulated_ms }: Result): number {
  const all = replicas.reduce((sum, { answers }) => sum + answers, 0);
  return counted === 0 ? 0 : ((all * answered) / counted / simulated_ms) * 1_000;
}

function shares({ replicas }: Result): string {
  const calls = replicas.reduce((sum, replica) => sum + replica.calls, 0);
  const percent = replicas.map((replica) => (100 * replica.calls) / calls);
  if (percent.length <= SHARES_SHOWN) return percent.map((share) => share.toFixed(1)).join(" ");
  return `${Math.min(...percent).toFixed(2)} to ${Math.max(...percent).toFixed(2)}`;
}

function plot(course: Result["course"], most: number): string {
  return course
    .map(({ p99 }) => BARS[p99 === 0 ? 0 : Math.max(1, Math.round((8 * Math.log1p(p99)) / Math.log1p(most)))])
    .join("");
}

function speed(results: ReadonlyMap<string, Result>): string {
  const all = [...results.values()];
  const queries = all.reduce((sum, { counted }) => sum + counted, 0);
  const cpu_ms = all.reduce((sum, result) => sum + result.cpu_ms, 0);
  return Math.round((queries / cpu_ms) * 1_000).toLocaleString("en");
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}
