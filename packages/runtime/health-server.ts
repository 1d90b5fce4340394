/** What an operator asks of a process: `/health`, `/ready` and `/metrics`, on a port of its own. */

import { Type } from "@sinclair/typebox";
import type { App } from "./app.ts";

export const healthSettings = {
  METRICS_HOST: Type.String({
    default: "127.0.0.1",
    description:
      "Address of `/health`, `/ready` and `/metrics`; `0.0.0.0` lets another machine's Prometheus in",
  }),
  METRICS_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 0,
    description: "Port of `/health`, `/ready` and `/metrics`; 0, or one that is taken, means any free one",
  }),
};

export interface HealthConfig {
  readonly METRICS_HOST: string;
  readonly METRICS_PORT: number;
}

import type { Health, Ready } from "#contracts";

export type ReadyCheck = () => Promise<Ready["dependencies"]>;

export interface HealthServer {
  readonly port: number;
}

/** Serves until the app stops. A port that is taken gives way to a free one: the log says which. */
export function startHealthServer(app: App, config: HealthConfig, ready: ReadyCheck): HealthServer {
  const serve = (port: number) =>
    Bun.serve({
      hostname: config.METRICS_HOST,
      port,
      routes: {
        "/health": () => Response.json(health(app.name)),
        "/ready": async () => {
          const body = await readiness(ready);
          return Response.json(body, { status: body.status === "ready" ? 200 : 503 });
        },
        "/metrics": async () => {
          const { registry } = app;
          return new Response(await registry.metrics(), {
            headers: { "content-type": registry.contentType },
          });
        },
      },
      fetch: () => new Response("there is /health, /ready and /metrics\n", { status: 404 }),
    });
  const server = serveWhereFree(serve, config.METRICS_PORT);
  app.log.info({ port: server.port, asked_for: config.METRICS_PORT }, "health server");
  app.onStop(() => server.stop(true));
  return { port: server.port ?? 0 };
}

export function health(app: string): Health {
  return { status: "ok", app, uptime_s: Math.round(process.uptime()) };
}

/** Ready when every dependency is; one that does not answer within a second is not. */
export async function readiness(ready: ReadyCheck): Promise<Ready> {
  const late = Bun.sleep(1_000).then(() => ({ checks: { ok: false, detail: "no answer within a second" } }));
  const dependencies = await Promise.race([ready(), late]);
  const all_ok = Object.values(dependencies).every((dependency) => dependency.ok);
  return { status: all_ok ? "ready" : "not_ready", dependencies };
}

function serveWhereFree<T>(serve: (port: number) => T, port: number): T {
  try {
    return serve(port);
  } catch (error) {
    if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
    return serve(0);
  }
}
