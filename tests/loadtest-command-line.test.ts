/** What the load test's flags mean, and that none is passed over. */
import { describe, expect, test } from "bun:test";
import { type CommandLine, parseCommandLine, UsageError } from "../bench/loadtest/command-line.ts";

function parse(line: string): CommandLine {
  return parseCommandLine(line.split(" ")) as CommandLine;
}

test("without flags it is a plain run", () => {
  expect(parseCommandLine([])).toMatchObject({ mode: "run", json: false, stream: false, abort_share: 0 });
});

test("times, rates and shares are read with their units", () => {
  expect(parse("--rate 0.5 --duration 1.5m --abort 2.5%")).toMatchObject({
    rate: 0.5,
    duration_ms: 90_000,
    abort_share: 0.025,
  });
});

test("stages go on from the rate before them", () => {
  expect(parse("--rate 5 --stages 10s:50,500ms:50,2s:0").stages).toEqual([
    { duration_ms: 10_000, from: 5, to: 50 },
    { duration_ms: 500, from: 50, to: 50 },
    { duration_ms: 2_000, from: 50, to: 0 },
  ]);
});

test("an SLO names what it limits, and for how many", () => {
  expect(parse("--stream --slo p99=2000ms,ttft=300ms,gap-p95=1s,goodput=45/s").slo).toEqual({
    objectives: [
      { name: "p99", measure: "latency", limit_ms: 2_000, wanted: 0.99 },
      { name: "ttft", measure: "ttft", limit_ms: 300, wanted: 0.99 },
      { name: "gap-p95", measure: "gap", limit_ms: 1_000, wanted: 0.95 },
    ],
    goodput: { rps: 45 },
  });
  expect(parse("--slo latency=1s,p99.9=3s,goodput=90%").slo).toEqual({
    objectives: [
      { name: "latency", measure: "latency", limit_ms: 1_000, wanted: 0.99 },
      { name: "p99.9", measure: "latency", limit_ms: 3_000, wanted: expect.closeTo(0.999, 6) },
    ],
    goodput: { share: 0.9 },
  });
});

describe("what makes no sense is refused in one line that names it", () => {
  test.each([
    ["--rate 0", "--rate 0"],
    ["--rate fast", "--rate fast"],
    ["--rate 100001", "--rate 100001"],
    ["--rate", "--rate takes N"],
    ["--rate 1 --rate 2", "--rate is given twice"],
    ["--arrivals constant", "--arrivals needs --rate"],
    ["--arrivals uniform --rate 1", "--arrivals uniform"],
    ["--duration 30", "--duration 30"],
    ["--duration 0s", "--duration 0s"],
    ["--stages 10s", "10s"],
    ["--stages 10s:0", "sends nothing"],
    ["--stages 10s:5 --duration 1s", "--stages and --duration"],
    ["--slo p99", "p99 takes a time"],
    ["--slo p99=2000", "p99 takes a time"],
    ["--slo p101=1s", "p101"],
    ["--slo p0=1s", "p0"],
    ["--slo ttft-p=1s --stream", "ttft-p"],
    ["--slo speed=1s", "speed"],
    ["--slo goodput=90%", "goodput needs a limit"],
    ["--slo p99=1s,goodput=110%", "goodput takes"],
    ["--slo ttft=300ms", "needs --stream"],
    ["--sweep", "--sweep needs an --slo"],
    ["--sweep --slo p99=1s --abort 10%", "--sweep and --abort"],
    ["--sweep --slo p99=1s --stages 1s:1", "--sweep and --stages"],
    ["--abort 120%", "--abort 120%"],
    ["--abort 0.2", "--abort 0.2"],
    ["--cross-check=yes", "--cross-check takes no value"],
    ["--key clé", "--key clé"],
    ["--report /nowhere/at/all.html", "/nowhere/at"],
    ["--report /tmp", "is a folder"],
    ["--calibrate --rate 1", "--calibrate and --rate"],
    ["--no-json", "--no-json is not a flag"],
    ["-j", "-j is not a flag"],
    ["http://localhost:8000", "http://localhost:8000 is not a flag"],
  ])("%s", (line, named) => {
    let message = "";
    try {
      parse(line);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      message = error.message;
    }
    expect(message).toContain(named);
    expect(message).not.toContain("\n");
  });
});
