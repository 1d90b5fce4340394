import type { Contender } from "../contender.ts";
import { brpop } from "./brpop.ts";
import { bullmq } from "./bullmq.ts";
import { ragline } from "./ragline.ts";

export const contenders = { ragline, bullmq, brpop } satisfies Record<string, Contender>;
export type ContenderName = keyof typeof contenders;
