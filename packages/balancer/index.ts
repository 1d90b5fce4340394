export * from "./least-connections.ts";
