/** The load test as its users run it: a process of its own against an HTTP server that knows what it did. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QueryAnswer } from "#contracts";
import { EXIT } from "../bench/loadtest/exit-code.ts";
import { flags } from "../bench/loadtest/flags.ts";
import type { Report } from "../bench/loadtest/report.ts";
import type { SweepReport } from "../bench/loadtest/sweep-report.ts";

setDefaultTimeout(60_000);

const root = `${import.meta.dir}/..`;
const running: Bun.Server<undefined>[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(true)));
});

/** A gateway whose `respond` is told how many requests came before this one. */
function gateway(respond: (index: number, request: Request) => Response | Promise<Response>): string {
  let seen = 0;
  const server = Bun.serve({ port: 0, idleTimeout: 0, fetch: (request) => respond(seen++, request) });
  running.push(server);
  return `http://localhost:${server.port}`;
}

function answer(fields: Partial<QueryAnswer> = {}): Response {
  const whole: QueryAnswer = {
    job_id: "j",
    answer: "Recursion is a function that calls itself [1].",
    latency_ms: 1,
    selected_replica: "http://replica-1",
    worker: "llm-1",
    sources: [],
    timings: {},
    ...fields,
  };
  return Response.json(whole);
}

function refusal(status: number, code: string): Response {
  return Response.json({ error: { code, message: "try again" } }, { status });
}

function start(settings: Record<string, string | number>, ...flags: string[]) {
  const env: Record<string, string | undefined> = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: undefined };
  for (const [name, value] of Object.entries(settings)) env[name] = String(value);
  return Bun.spawn([process.execPath, "loadtest.ts", ...flags], {
    cwd: root,
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function end(child: ReturnType<typeof start>) {
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

/** Runs to the end with `--json`; throws if anything else is on stdout. */
async function run(settings: Record<string, string | number>, ...flags: string[]) {
  const { stdout, stderr, code } = await end(start(settings, "--json", ...flags));
  return { report: JSON.parse(stdout) as Report, stderr, code };
}

/** The nearest-rank percentile, from all values. */
function percentile(values: readonly number[], percent: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil((percent / 100) * values.length) - 1]!;
}

describe("the report", () => {
  test("every request is counted once, under its replica and its worker", async () => {
    const url = gateway((index) =>
      answer({ selected_replica: `http://replica-${index % 3}`, worker: index < 20 ? "llm-1" : "llm-2" }),
    );
    const { report, code } = await run({ LT_URL: `${url}/`, LT_REQUESTS: 90, LT_CONCURRENCY: 8 });
    expect(report).toMatchObject({
      url,
      concurrency: 8,
      requests: 90,
      successful: 90,
      failed: 0,
      failures: {},
    });
    expect(report.replicas).toEqual({
      "http://replica-0": 30,
      "http://replica-1": 30,
      "http://replica-2": 30,
    });
    expect(report.workers).toEqual({ "llm-1": 20, "llm-2": 70 });
    expect(code).toBe(0);
  });

  test("a failed request is counted under its reason, and makes the exit code 1", async () => {
    const faults = [
      () => refusal(503, "redis_unavailable"),
      () => refusal(503, "redis_unavailable"),
      () => refusal(504, "deadline_exceeded"),
      () => new Response("<h1>Bad Gateway</h1>", { status: 502 }),
      () => new Response("<h1>Welcome</h1>"),
      () => Response.json({ answer: "and nothing else" }),
      () => answer({ timings: { llm: { waited: -1, worked: 1 } } }),
    ];
    const url = gateway((index) => faults[index]?.() ?? answer());
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 20, LT_CONCURRENCY: 4 });
    expect(report.failures).toEqual({
      "503 redis_unavailable": 2,
      "504 deadline_exceeded": 1,
      "502 Bad Gateway": 1,
      "malformed answer: not JSON": 1,
      "malformed answer: /job_id: Expected required property": 1,
      "malformed answer: /timings/llm/waited: Expected number to be greater or equal to 0": 1,
    });
    expect(report).toMatchObject({ requests: 20, successful: 13, failed: 7 });
    expect(code).toBe(1);
  });

  test("latencies are those that the gateway took, as the client sees them", async () => {
    const served: number[] = [];
    const url = gateway(async (index) => {
      const began = performance.now();
      await Bun.sleep(index % 10 === 9 ? 300 : 20);
      served.push(performance.now() - began);
      return answer();
    });
    const { report } = await run({ LT_URL: url, LT_REQUESTS: 100, LT_CONCURRENCY: 10 });
    const { latency_ms, throughput_rps, duration_s } = report;
    const on_the_way = 250;
    for (const percent of [50, 95, 99] as const) {
      const seen = latency_ms[`p${percent}`]!;
      const least = percentile(served, percent);
      expect(seen).toBeGreaterThan(least * 0.999);
      expect(seen).toBeLessThan(least + on_the_way);
    }
    expect(latency_ms.min).toBeGreaterThan(Math.min(...served) * 0.999);
    expect(latency_ms.min).toBeLessThanOrEqual(latency_ms.p50!);
    expect(latency_ms.max).toBeGreaterThanOrEqual(latency_ms.p99!);
    expect(latency_ms.avg).toBeGreaterThan(latency_ms.min!);
    expect(latency_ms.avg).toBeLessThan(latency_ms.p95!);
    expect(throughput_rps * duration_s).toBeCloseTo(100, 0);
  });

  test("the time of each stage comes from the answers, in the order of the line", async () => {
    const url = gateway((index) =>
      answer({
        timings: {
          encoder: { waited: 0, worked: index + 1 },
          retriever: { waited: 0.25, worked: 2 * (index + 1) },
          llm: { waited: index + 1, worked: 1_000 },
        },
      }),
    );
    const { stages } = (await run({ LT_URL: url, LT_REQUESTS: 100, LT_CONCURRENCY: 5 })).report;
    expect(Object.keys(stages)).toEqual(["encoder", "retriever", "llm"]);
    expect(stages.encoder!.waited).toEqual({ p50: 0, p95: 0 });
    expect(stages.encoder!.worked.p50).toBeCloseTo(50, 1);
    expect(stages.encoder!.worked.p95).toBeCloseTo(95, 0);
    expect(stages.retriever!.waited.p50).toBe(0.25);
    expect(stages.retriever!.worked.p95).toBeCloseTo(190, 0);
    expect(stages.llm!.waited.p50).toBeCloseTo(50, 1);
    expect(stages.llm!.worked).toEqual({ p50: 1_000, p95: 1_000 });
  });

  test("for people it is text, its tables aligned", async () => {
    const url = gateway((index) =>
      index === 0
        ? refusal(503, "redis_unavailable")
        : answer({
            selected_replica: `http://replica-${index % 2}`,
            timings: { llm: { waited: 0.5, worked: 2 } },
          }),
    );
    const { stdout, stderr, code } = await end(start({ LT_URL: url, LT_REQUESTS: 9, LT_CONCURRENCY: 2 }));
    const [summary, ...tables] = stdout.trimEnd().split("\n\n");
    expect(summary).toContain("Successful  8 (88.9 %)");
    expect(summary).toContain("Failed      1 (11.1 %)\n            503 redis_unavailable x1");
    expect(tables.map((table) => table.split(" ")[0])).toEqual(["Latency", "Replica", "Worker", "Stage,"]);
    for (const table of tables) {
      expect(new Set(table.split("\n").map((line) => line.length)).size).toBe(1);
    }
    expect(tables[1]).toMatch(/http:\/\/replica-0 +4 +50\.0 %/);
    expect(tables[3]).toMatch(/llm +0\.50 +0\.50 +2\.00 +2\.00/);
    expect(stderr).toBe("");
    expect(code).toBe(1);
  });
});

describe("the load", () => {
  // The gateway answers the oldest request only when all that may be in flight are there.
  test.each([1, 50, 300])(
    "%d requests are in flight, no more and no fewer, from first to last",
    async (concurrency) => {
      const requests = concurrency * 2 + 7;
      const waiting: (() => void)[] = [];
      let most = 0;
      const url = gateway(async (index) => {
        const turn = Promise.withResolvers<void>();
        waiting.push(turn.resolve);
        most = Math.max(most, waiting.length);
        if (index === requests - 1) for (const resolve of waiting.splice(0)) resolve();
        else if (waiting.length === concurrency) waiting.shift()!();
        await turn.promise;
        return answer();
      });
      const { report, stderr, code } = await run({
        LT_URL: url,
        LT_REQUESTS: requests,
        LT_CONCURRENCY: concurrency,
      });
      expect(most).toBe(concurrency);
      expect(report).toMatchObject({ requests, successful: requests });
      expect(stderr).toBe("");
      expect(code).toBe(0);
    },
  );

  test("questions are different ones, in the same order each time", async () => {
    const asked: string[][] = [[], []];
    for (const list of asked) {
      const url = gateway(async (_, request) => {
        expect(new URL(request.url).pathname).toBe("/query");
        list.push(((await request.json()) as { query: string }).query);
        return answer();
      });
      await run({ LT_URL: url, LT_REQUESTS: 60, LT_CONCURRENCY: 1 });
    }
    expect(asked[0]).toEqual(asked[1]!);
    expect(new Set(asked[0]).size).toBeGreaterThanOrEqual(40);
  });

  test("an answer that does not come in time is a time-out", async () => {
    const url = gateway(() => new Promise<Response>(() => {}));
    const { report, code } = await run({
      LT_URL: url,
      LT_REQUESTS: 3,
      LT_CONCURRENCY: 3,
      LT_TIMEOUT_MS: 50,
    });
    expect(report.failures).toEqual({ timeout: 3 });
    expect(report.latency_ms.p99).toBeNull();
    expect(code).toBe(1);
  });

  test("Ctrl-C ends it at once, with a report of what was done", async () => {
    const stuck = Promise.withResolvers<void>();
    const url = gateway((index) => {
      if (index < 5) return answer();
      if (index === 8) stuck.resolve();
      return new Promise<Response>(() => {});
    });
    const child = start({ LT_URL: url, LT_REQUESTS: 100, LT_CONCURRENCY: 4 }, "--json");
    await stuck.promise;
    child.kill("SIGINT");
    const { stdout, stderr, code } = await end(child);
    expect(JSON.parse(stdout)).toMatchObject({ requests: 5, successful: 5, failed: 0 });
    expect(stderr).toBe("Interrupted after 5 of 100 requests\n");
    expect(code).toBe(130);
  });
});

/** Generous: what is tested is not how fast this machine is. */
const PATIENT = { LT_MAX_LAG_MS: 60_000 };

describe("the open loop", () => {
  test("a rate is kept whatever the gateway does, and each request is counted", async () => {
    const url = gateway(() => answer());
    const settings = { LT_URL: url, LT_REQUESTS: 100, ...PATIENT };
    const { report, code } = await run(settings, "--rate", "200", "--arrivals", "constant");
    expect(report).toMatchObject({ load: "200/s, constant", requests: 100, successful: 100 });
    expect(report.duration_s).toBeGreaterThan(0.49);
    expect(report.timeline.reduce((sum, { sent }) => sum + sent, 0)).toBe(100);
    expect(code).toBe(0);
  });

  test("stages ramp, and end by themselves", async () => {
    const url = gateway(() => answer());
    const flags = ["--stages", "500ms:200,500ms:0", "--arrivals", "constant"];
    const { report, code } = await run({ LT_URL: url, ...PATIENT }, ...flags);
    expect(report.requests).toBe(100);
    expect(code).toBe(0);
  });

  test("a duration ends a closed loop too", async () => {
    const url = gateway(() => answer());
    const { report, code } = await run({ LT_URL: url, LT_CONCURRENCY: 2 }, "--duration", "300ms");
    expect(report.requests).toBeGreaterThan(2);
    expect(report.duration_s).toBeGreaterThan(0.29);
    expect(code).toBe(0);
  });

  test("where the generator lags there is no verdict: exit code 3", async () => {
    const url = gateway(() => answer());
    // More than one process can send: it cannot but lag.
    const flags = ["--rate", "20000", "--duration", "200ms", "--slo", "p50=1m"];
    const { report, code } = await run({ LT_URL: url, LT_MAX_LAG_MS: 1 }, ...flags);
    expect(report.verdict).toEqual({
      kind: "refused",
      reasons: [expect.stringContaining("the generator lagged by ")],
    });
    expect(code).toBe(3);
  });
});

describe("the SLO", () => {
  /** A tenth is refused; all others are answered. */
  const nineOfTen = () => gateway((index) => (index % 10 === 0 ? refusal(429, "line_full") : answer()));

  test.each([
    ["p90=30s", 0],
    ["p95=30s", 1],
    ["p90=1ms,p50=30s", 1],
    ["latency=30s,goodput=90%", 0],
    ["latency=30s,goodput=91%", 1],
    ["latency=30s,goodput=1/s", 0],
    ["latency=30s,goodput=90000/s", 1],
  ])("%s of a gateway that refuses a tenth: exit code %d", async (slo, expected) => {
    const slow = slo.includes("1ms,") ? 5 : 0;
    const url = slow ? gateway(() => Bun.sleep(slow).then(() => answer())) : nineOfTen();
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 50 }, "--slo", slo);
    expect(report.slo!.met).toBe(expected === 0);
    expect(report.verdict!.kind).toBe(expected === 0 ? "passed" : "failed");
    expect(code).toBe(expected);
  });

  test("the sweep finds a rate that keeps it below one that does not", async () => {
    let free = Promise.resolve();
    const url = gateway(async () => {
      const mine = free.then(() => Bun.sleep(10));
      free = mine;
      await mine;
      return answer();
    });
    const flags = ["--sweep", "--rate", "40", "--duration", "200ms", "--slo", "p90=200ms", "--json"];
    const { stdout, code } = await end(start({ LT_URL: url, ...PATIENT }, ...flags));
    const { knee } = JSON.parse(stdout) as SweepReport;
    const kept = knee.steps.filter(({ outcome }) => outcome === "kept").map(({ rate }) => rate);
    const missed = knee.steps.filter(({ outcome }) => outcome === "missed").map(({ rate }) => rate);
    expect(knee.rate).toBe(Math.max(...kept));
    expect(Math.min(...missed)).toBeGreaterThan(knee.rate!);
    expect(Math.min(...missed)).toBeLessThanOrEqual(knee.rate! * 1.1);
    expect(code).toBe(0);
  });

  test("a sweep of a gateway that never keeps it is a failure, with a table and a plot", async () => {
    const url = gateway(() => refusal(503, "redis_unavailable"));
    const flags = ["--sweep", "--duration", "200ms", "--slo", "p99=100ms"];
    const { stdout, code } = await end(start({ LT_URL: url, ...PATIENT }, ...flags));
    expect(stdout).toContain("Rate, /s");
    expect(stdout).toContain("/s P99, to 100 ms, | the limit of 100 ms");
    expect(stdout).toEndWith("Knee        none\n            no rate kept the SLO\n");
    expect(code).toBe(1);
  });
});

describe("clients that hang up", () => {
  const metrics = (load: number) =>
    new Response(
      `# TYPE api_gateway_replica_load gauge\napi_gateway_replica_load{replica="http://r"} ${load}\n`,
    );

  test("are neither answered nor failed, and every counter is 0 in the end", async () => {
    let load = 0;
    let hungUp = 0;
    const url = gateway(async (_, request) => {
      if (request.method === "GET") return metrics(load);
      load++;
      const left = new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
      const gone = await Promise.race([left.then(() => true), Bun.sleep(40).then(() => false)]);
      load--;
      if (gone) hungUp++;
      return answer();
    });
    const { report, code } = await run(
      { LT_URL: url, LT_REQUESTS: 100, LT_CONCURRENCY: 10 },
      "--abort",
      "50%",
    );
    expect(report.aborted).toBeGreaterThan(5);
    expect(report).toMatchObject({ requests: 100, failed: 0, loads: { kind: "idle", replicas: 1 } });
    expect(hungUp).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  test("a gateway that does not tell its counters gets no verdict", async () => {
    const url = gateway((_, request) => (request.method === "GET" ? new Response("") : answer()));
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 5 }, "--abort", "0.1%");
    expect(report.loads).toEqual({
      kind: "unknown",
      reason: "GET /metrics holds no api_gateway_replica_load",
    });
    expect(code).toBe(3);
  });
});

describe("the cross-over check", () => {
  const about = (query: string) =>
    Array.from({ length: 3 }, (_, i) => ({
      id: `${query}#${i}`,
      title: "t",
      source: "s",
      score: 1,
      text: "x",
    }));
  const asked = async (request: Request) => ((await request.json()) as { query: string }).query;

  test("answers for their own questions pass", async () => {
    const url = gateway(async (index, request) =>
      answer({ job_id: `j${index}`, sources: about(await asked(request)) }),
    );
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 120 }, "--cross-check");
    expect(report.cross_check).toMatchObject({ checked: 120, crossed: [] });
    expect(report.cross_check!.distinguishable_questions).toBeGreaterThanOrEqual(40);
    expect(code).toBe(0);
  });

  test("an answer for another question is found, and named", async () => {
    let before = "";
    const url = gateway(async (index, request) => {
      const query = await asked(request);
      const sources = about(index === 100 ? before : query);
      before = query;
      return answer({ job_id: `j${index}`, sources });
    });
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 80, LT_CONCURRENCY: 1 }, "--cross-check");
    expect(report.cross_check!.crossed).toEqual([
      { question: expect.any(String), belongs_to: expect.any(String), job_id: "j100" },
    ]);
    expect(report.verdict).toEqual({
      kind: "failed",
      reasons: ["1 of 80 answers were not for their question"],
    });
    expect(code).toBe(1);
  });

  test("a job that answers twice is found", async () => {
    const url = gateway(async (index, request) =>
      answer({ job_id: `j${Math.max(100, index)}`, sources: about(await asked(request)) }),
    );
    const { report, code } = await run({ LT_URL: url, LT_REQUESTS: 80, LT_CONCURRENCY: 1 }, "--cross-check");
    expect(report.cross_check!.crossed.length).toBeGreaterThan(10);
    expect(code).toBe(1);
  });

  test("answers that cannot be told apart get no verdict", async () => {
    const { stderr, code } = await end(start({ LT_URL: gateway(() => answer()) }, "--cross-check"));
    expect(stderr).toBe(
      "Answers cannot be told apart: every question has the same sources: index documents first\n",
    );
    expect(code).toBe(3);
  });
});

test.each([
  ["the environment's key", { LT_KEY: "rk_from_env" }, [], "Bearer rk_from_env"],
  ["the command line's before it", { LT_KEY: "rk_from_env" }, ["--key", "rk_given"], "Bearer rk_given"],
  ["nothing without one", {}, [], null],
])("what goes along as authorization: %s", async (_, settings, flags, expected) => {
  const seen = new Set<string | null>();
  const url = gateway((_, request) => {
    seen.add(request.headers.get("authorization"));
    return answer();
  });
  await run({ LT_URL: url, LT_REQUESTS: 3, ...settings }, ...flags);
  expect([...seen]).toEqual([expected]);
});

describe("the HTML report", () => {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("is one file with plots that loads nothing and runs nothing, whatever the gateway says", async () => {
    const hostile = "<img src=x onerror=alert(1)>";
    const url = gateway((index) =>
      index === 3 ? refusal(500, hostile) : answer({ worker: hostile, selected_replica: "</pre><script>" }),
    );
    const file = join(folder, "report.html");
    await run({ LT_URL: url, LT_REQUESTS: 50, ...PATIENT }, "--rate", "100", "--report", file);
    const html = await Bun.file(file).text();
    expect(html.match(/<svg/g)!.length).toBeGreaterThanOrEqual(3);
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(html).not.toMatch(/<script|<img|<link|<iframe|src="|href=|url\(|@import/);
  });
});

test("--calibrate asks its own server, and says what it can do", async () => {
  const { stdout, code } = await end(
    start({ LT_URL: "http://localhost:9" }, "--calibrate", "--duration", "300ms", "--json"),
  );
  const found = JSON.parse(stdout);
  expect(found.plain.requests_rps).toBeGreaterThan(100);
  expect(found.stream.requests_rps).toBeGreaterThan(100);
  expect(found.open_loop_rps).toBeGreaterThan(100);
  expect(code).toBe(0);
});

describe("what is wrong is one line that says what to do", () => {
  test("no gateway there", async () => {
    const url = gateway(() => answer());
    await running.pop()!.stop(true);
    const { stdout, stderr, code } = await end(start({ LT_URL: url }));
    expect(stdout).toBe("");
    expect(stderr).toBe(
      `No gateway at ${url} (connection refused): start one with \`bun run dev\`, or set LT_URL to where yours listens\n`,
    );
    expect(code).toBe(1);
  });

  test("no gateway there, and --json still prints one object", async () => {
    const url = gateway(() => answer());
    await running.pop()!.stop(true);
    const { report, stderr, code } = await run({ LT_URL: url });
    expect(report.successful).toBe(0);
    expect(report.failures["connection refused"]).toBeGreaterThan(0);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });

  test.each([
    ["LT_CONCURRENCY", "0"],
    ["LT_REQUESTS", "many"],
    ["LT_TIMEOUT_MS", "1.5"],
    ["LT_URL", "localhost:8000"],
  ])("%s=%s", async (name, value) => {
    const { stdout, stderr, code } = await end(start({ [name]: value }));
    expect(stdout).toBe("");
    expect(stderr).toStartWith(`${name} is "${value}": `);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });

  test("an unknown flag", async () => {
    const { stderr, code } = await end(start({}, "--jsno"));
    expect(stderr).toBe("--jsno is not a flag of the load test: see --help\n");
    expect(code).toBe(2);
  });
});

test("--help names every setting with its default, every flag and every exit code", async () => {
  const { stdout, code } = await end(start({}, "--help"));
  for (const setting of ["LT_URL (http://localhost:8000)", "LT_REQUESTS (500)", "LT_CONCURRENCY (50)"]) {
    expect(stdout).toContain(setting);
  }
  for (const flag of Object.keys(flags)) expect(stdout).toContain(`\n  --${flag}`);
  for (const exit of Object.values(EXIT)) expect(stdout).toMatch(new RegExp(`^  ${exit} `, "m"));
  expect(code).toBe(0);
});
