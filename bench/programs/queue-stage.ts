/** One stage of one contender, over IPC: `bun bench/programs/queue-stage.ts bullmq encoder "0.6 KB" redis://...`. */
import { type ContenderName, contenders } from "../queue/contenders/index.ts";
import { serve } from "../queue/member.ts";
import type { BenchStage, Size } from "../queue/workload.ts";

const [contender, stage, size, url] = process.argv.slice(2) as [ContenderName, BenchStage, Size, string];
await (await contenders[contender]()).startStage(stage, { url, size });
serve({});
