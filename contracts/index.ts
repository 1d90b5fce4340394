export * from "./check.ts";
export * from "./documents.ts";
export * from "./embedding.ts";
export * from "./http.ts";
export * from "./limits.ts";
export * from "./messages.ts";
export * from "./names.ts";
export * from "./queues.ts";
