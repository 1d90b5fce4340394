/** Whether the model is the limit and not the line: 64 questions in flight, against the encoder with nothing around it. */
import { startLine } from "../tests/support/line.ts";
import { startProcess } from "../tests/support/process.ts";
import { run } from "./closed-loop-run.ts";
import { interleave, shown, spread } from "./rounds.ts";

const ROUNDS = 5;
const IN_FLIGHT = 64;
const REQUESTS = 1_600;

export async function benchEncoderLimit(): Promise<void> {
  const instant = { MOCK_DELAY_MS: "0" };
  const line = await startLine({ replicas: [instant, instant, instant], documents: ["corpus"] });
  await run(line.url, 200, IN_FLIGHT);
  const results = await interleave(ROUNDS, {
    alone: async () => {
      const alone = startProcess("bench/programs/encoder-alone.ts", {});
      return JSON.parse(await alone.line("texts_per_s")).texts_per_s as number;
    },
    line: async () => (await run(line.url, REQUESTS, IN_FLIGHT)).throughput_rps,
  });
  const share = results.line.map((rps, i) => rps / results.alone[i]!);
  console.log(
    `\nThe model is the limit: ${IN_FLIGHT} questions in flight; median of ${ROUNDS} rounds (range)`,
  );
  console.log(`  encoder alone, texts/s                     ${shown(spread(results.alone), 0)}`);
  console.log(`  the whole line, answers/s                  ${shown(spread(results.line), 0)}`);
  console.log(`  share of it                                ${shown(spread(share))}`);
  console.log("  to reach: at least 0.9");
  await line.stop();
}
