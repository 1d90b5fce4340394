/**
 * The gateway's API with types, from nothing but the gateway's own: `bun docs/examples/typed-client.ts [URL]`, with `API_KEY` where
 * it asks for one.
 */
import { treaty } from "@elysiajs/eden";
import type { Gateway } from "../../apps/gateway/server.ts";

const [url = "http://127.0.0.1:8000"] = process.argv.slice(2);
const headers = process.env.API_KEY ? { authorization: `Bearer ${process.env.API_KEY}` } : undefined;
const gateway = treaty<Gateway>(url, { headers });

const asked = await gateway.query.post({ query: "What is machine learning?", top_k: 3 });
if (asked.error) throw new Error(asked.error.value.error.message);
console.log(asked.data.answer);
for (const { title, score } of asked.data.sources) console.log(`  ${title}, ${score.toFixed(2)}`);

const accepted = await gateway.jobs.post({ query: "What is a queue?" });
if (accepted.error) throw new Error(accepted.error.value.error.message);
const job = gateway.jobs({ id: accepted.data.job_id });
let status = await job.get();
while (status.data?.state === "queued" || status.data?.state === "working") {
  await Bun.sleep(50);
  status = await job.get();
}
console.log(
  `the job is ${status.data?.state}: ${status.data?.result?.answer ?? status.data?.error?.message}`,
);

// What a route may refuse is in its type: each status with its body.
const refused = await gateway.jobs({ id: "nobody's" }).get();
if (refused.error?.status === 404) console.log(`refused: ${refused.error.value.error.code}`);

// @ts-expect-error a question is a text, and the compiler says so
const wrong = await gateway.query.post({ query: 7 });
console.log(`wrong: ${wrong.error?.status}`);
