import { Counter, Gauge, type Registry } from "prom-client";

export function documentMetrics(registry: Registry) {
  const registers = [registry];
  const uploads = new Counter({
    name: "api_gateway_uploads_total",
    help: "Uploads by the HTTP status of their answer",
    labelNames: ["status"],
    registers,
  });
  // A rate needs the series to exist before the first upload.
  uploads.inc({ status: 202 }, 0);
  return {
    uploads,
    reading: new Gauge({
      name: "api_gateway_uploads_being_read",
      help: "Uploads whose bodies this gateway receives, checks and queues now",
      registers,
    }),
  };
}
