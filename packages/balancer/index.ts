export * from "./balancer.ts";
export { decisions } from "./scripts.ts";
export * from "./settings.ts";
