import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { Registry } from "prom-client";
import { parse } from "yaml";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { stageMetrics } from "#runtime";
import { gatewayMetrics } from "../../apps/gateway/metrics.ts";
import { apps, environmentOf, services } from "./compose-file.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const config = parse(readFileSync("ops/prometheus.yml", "utf8"));
const jobs: { job_name: string; static_configs: { targets: string[] }[] }[] = config.scrape_configs;
const groups: { rules: Alert[] }[] = parse(readFileSync("ops/alerts.yml", "utf8")).groups;
const alerts = groups.flatMap(({ rules }) => rules);

test("Prometheus scrapes every container that serves metrics, and nothing else", () => {
  const scraped = jobs.flatMap(({ static_configs }) => static_configs.flatMap(({ targets }) => targets));
  const served = [...apps].flatMap(([name, service]) => {
    const { PORT, METRICS_PORT } = environmentOf(service);
    return PORT || METRICS_PORT ? [`${name}:${METRICS_PORT ?? PORT}`] : [];
  });
  expect(scraped.sort()).toEqual(served.sort());
});

test("the container of Prometheus reads ops/", () => {
  expect(services.get("prometheus")?.volumes).toContain("./ops:/etc/prometheus:ro");
});

test("every alert says how bad it is, what happens, and what to do", () => {
  for (const { labels, annotations } of alerts) {
    expect(labels.severity).toBeOneOf(["warning", "critical"]);
    expect(annotations.summary).not.toBeEmpty();
    expect(annotations.description).not.toBeEmpty();
  }
});

test("every alert goes by metrics that the apps have", () => {
  const known = exportedNames();
  for (const { alert, expr } of alerts) {
    const used = metricsIn(expr);
    expect([alert, used.length > 0]).toEqual([alert, true]);
    expect([alert, used.filter((name) => !known.has(name))]).toEqual([alert, []]);
  }
});

/** Names of all series of a gateway and a stage, and of what Prometheus adds. */
function exportedNames(): Set<string> {
  const registry = new Registry();
  const redis = new Redis({ lazyConnect: true }); // asked for values only, and none are read here
  const balancer = new Balancer(redis, redisNames(), DEFAULT_SETTINGS, ["http://127.0.0.1:1"]);
  gatewayMetrics(registry, redis, redisNames(), balancer);
  stageMetrics(registry, "encoder");
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  return new Set([
    "up",
    ...names,
    ...names.flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]),
  ]);
}

/** Metric names in a PromQL expression: what is neither a label, a function, nor a keyword. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/\{.*?\}|\[.*?\]|\b(by|without|on|ignoring)\s*\(.*?\)/g, " ");
  const names = bare.match(/\b[a-z_:][\w:]*\b(?!\s*\()/gi) ?? [];
  return names.filter((name) => !["and", "or", "unless", "sum", "max", "min", "avg", "count"].includes(name));
}

const promtool = Bun.which("promtool");
describe("promtool", () => {
  if (!promtool) {
    test.skip("SKIPPED, promtool is not installed (Debian's package prometheus): checks of ops/", () => {});
    return;
  }
  test.each([
    ["takes the configuration", ["check", "config", "ops/prometheus.yml"]],
    ["takes the rules", ["check", "rules", "ops/alerts.yml"]],
    [
      "sees each alert fire when it should, and only then",
      ["test", "rules", "tests/ops/alerts.promtool.yml"],
    ],
  ])("%s", async (_, args) => {
    const child = Bun.spawn([promtool, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, errors] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect({ code: await child.exited, said: `${out}${errors}` }).toMatchObject({ code: 0 });
  });
});
