/** The flags of `bun loadtest.ts`: their names, what they take, and what they do. */

export interface Flag {
  /** What it takes, in the help; without, it takes nothing. */
  readonly takes?: string;
  readonly help: string;
}

export const flags = {
  rate: {
    takes: "N",
    help: "Open loop: N requests a second, each sent at its own time whatever became of those before it. Latency is\nthen from when a request was due. Without it, LT_CONCURRENCY are in flight (closed loop)",
  },
  arrivals: {
    takes: "poisson|constant",
    help: "How arrivals are spread under --rate, --stages or --sweep: as users' are (poisson, the default) or evenly",
  },
  duration: { takes: "TIME", help: "Send for so long, as 30s or 2m, in place of LT_REQUESTS questions" },
  stages: {
    takes: "TIME:N,...",
    help: "Open loop whose rate ramps: 10s:50,30s:50,5s:0 goes from --rate (0) to 50/s, stays, and ends at 0",
  },
  stream: { help: "Ask for answers as server-sent events; reports time to first token and between tokens" },
  slo: {
    takes: "LIST",
    help: "What must be kept, as p99=2000ms,ttft=300ms: so many of a hundred requests answered within a time, failed\nones counted as not. p50 p99 p99.9 are of the latency; ttft-p95 of the first token; gap-p95 of an answer's\nlongest wait between tokens; latency, ttft, gap alone are their P99. Good answers keep every limit;\ngoodput=45/s or goodput=90% asks for so many of them instead of the percentiles. Without --slo, no\nrequest may fail",
  },
  sweep: {
    help: "Find the knee: the highest rate that keeps the --slo. Doubles from --rate (10/s) until it is missed, then\nhalves the gap to within 10 %; each step lasts --duration (10s), and is made again if the generator lagged",
  },
  abort: {
    takes: "PERCENT",
    help: "Hang up midway on so many, as 20%; at the end every replica's load counter must be 0, by REDIS_URL or\nthe gateway's /metrics",
  },
  "cross-check": {
    help: "Ask each question once alone at first; in the run, each answer's sources must be nearest to its own\nquestion's, and no job may answer twice",
  },
  key: { takes: "KEY", help: "API key, as `Authorization: Bearer`; LT_KEY keeps it out of the process list" },
  report: { takes: "FILE", help: "Write an HTML report with plots, one file that needs no network" },
  json: { help: "print the report as one JSON object on stdout, with the full histograms" },
  calibrate: {
    help: "Measure this tool's own ceiling against a server that does nothing, started for it; LT_URL is not asked.\nEach figure is taken over --duration (3s)",
  },
  help: { help: "print this" },
} as const satisfies Record<string, Flag>;
export type FlagName = keyof typeof flags;
