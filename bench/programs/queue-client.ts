/** The client of one contender, over IPC: `bun bench/programs/queue-client.ts bullmq "0.6 KB" redis://...`. */
import { type ContenderName, contenders } from "../queue/contenders/index.ts";
import { serve } from "../queue/member.ts";
import { newJob, type Size } from "../queue/workload.ts";

const [contender, size, url] = process.argv.slice(2) as [ContenderName, Size, string];
const client = await (await contenders[contender]()).startClient({ url, size });

serve({
  /** Sends `jobs` jobs, `in_flight` of them at a time: how long each took, ms. */
  async run({ jobs, in_flight }) {
    const took_ms: number[] = [];
    let left = jobs;
    await Promise.all(
      Array.from({ length: in_flight }, async () => {
        while (left-- > 0) {
          const started = performance.now();
          await client.ask(newJob(size, client.reply_to));
          took_ms.push(performance.now() - started);
        }
      }),
    );
    return took_ms;
  },
});
