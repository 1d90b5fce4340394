import type { Contender } from "../contender.ts";
/** Loaded by name: a process runs nothing of the others. */
export const contenders = {
  ragline: async () => (await import("./ragline.ts")).ragline,
  bullmq: async () => (await import("./bullmq.ts")).bullmq,
  brpop: async () => (await import("./brpop.ts")).brpop,
} satisfies Record<string, () => Promise<Contender>>;
export type ContenderName = keyof typeof contenders;
