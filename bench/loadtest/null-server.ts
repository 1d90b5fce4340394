/** A gateway that does nothing: what `--calibrate` measures this tool against. Its first line says its URL. */
import type { QueryAnswer } from "#contracts";

const TOKENS = 20;

const answer: QueryAnswer = {
  job_id: "j",
  answer: "At once [1].",
  latency_ms: 0,
  selected_replica: "http://replica",
  worker: "none",
  sources: [],
  timings: {
    encoder: { waited: 0, worked: 0 },
    retriever: { waited: 0, worked: 0 },
    llm: { waited: 0, worked: 0 },
  },
};
const plain = JSON.stringify(answer);
const events: [event: string, data: string][] = [
  ["accepted", JSON.stringify({ job_id: answer.job_id })],
  ["sources", "[]"],
  ...Array.from({ length: TOKENS }, (_, i): [string, string] => [
    "token",
    JSON.stringify({ text: ` word${i}` }),
  ]),
  ["done", plain],
];
const streamed = events
  .map(([event, data], id) => `id: ${id + 1}\nevent: ${event}\ndata: ${data}\n\n`)
  .join("");

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {
    "/plain/query": { POST: () => new Response(plain, { headers: { "content-type": "application/json" } }) },
    "/stream/query": {
      POST: () => new Response(streamed, { headers: { "content-type": "text/event-stream" } }),
    },
  },
});
console.log(server.url.origin);
