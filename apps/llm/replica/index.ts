export * from "./client.ts";
export * from "./error.ts";
export type { ReplicaUsage } from "./wire.ts";
