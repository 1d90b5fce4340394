export * from "./event.ts";
export * from "./networks.ts";
export * from "./post.ts";
export * from "./settings.ts";
export * from "./signature.ts";
export * from "./target.ts";
