/**
 * Whether the model is the limit and not the line: 64 distinct questions in flight, with an LLM stage that answers at
 * once, against the encoder with nothing around it. Twice: on all cores, which the encoder alone fills, so that each
 * millisecond that the rest of the line takes is one less for it; and with a core of its own for the encoder.
 */
import { startLine } from "../tests/support/line.ts";
import { startProcess } from "../tests/support/process.ts";
import { run } from "./closed-loop-run.ts";
import { distinctQuestion } from "./distinct-questions.ts";
import { interleave, shown, spread } from "./rounds.ts";

const ROUNDS = 5;
const IN_FLIGHT = 64;
const REQUESTS = 1_600;

export async function benchEncoderLimit(): Promise<void> {
  await compare("all cores shared", undefined, () => []);
  if (!Bun.which("taskset"))
    return console.log("\n(no taskset here: the encoder cannot have a core of its own)");
  await compare("a core of its own for the encoder, the rest on another", 1, (app) => {
    return ["taskset", "-c", app === "encoder" ? "0" : "1"];
  });
}

async function compare(
  what: string,
  threads: number | undefined,
  launcher: (app: string) => readonly string[],
): Promise<void> {
  const line = await startLine({
    llm: ["bench/programs/instant-stage.ts", "llm"],
    documents: ["corpus"],
    env: { ENCODER_THREADS: String(threads ?? 0), ENCODER_CACHE: "0" }, // each round asks the same ones
    launcher,
  });
  await run(line.url, 200, IN_FLIGHT, distinctQuestion);
  const alone_args = threads ? [String(REQUESTS), String(threads)] : [String(REQUESTS)];
  const results = await interleave(ROUNDS, {
    alone: async () => {
      const alone = startProcess("bench/programs/encoder-alone.ts", {}, alone_args, launcher("encoder"));
      return JSON.parse(await alone.line("texts_per_s")).texts_per_s as number;
    },
    line: async () => (await run(line.url, REQUESTS, IN_FLIGHT, distinctQuestion)).throughput_rps,
  });
  await line.stop();
  const share = results.line.map((rps, i) => rps / results.alone[i]!);
  console.log(
    `\nThe model is the limit, ${what}: ${IN_FLIGHT} questions in flight; median of ${ROUNDS} rounds (range)`,
  );
  console.log(`  encoder alone, texts/s                     ${shown(spread(results.alone), 0)}`);
  console.log(`  the whole line, answers/s                  ${shown(spread(results.line), 0)}`);
  console.log(`  share of it                                ${shown(spread(share))}`);
  console.log("  to reach: at least 0.9");
}
