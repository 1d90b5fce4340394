/** How far an ingestion is, on stderr: a bar on a terminal, else a line now and then. */
import { SingleBar } from "cli-progress";

const LINE_EVERY_MS = 5_000;

export interface Progress {
  /** One more document is done, `chunks` in all so far. */
  advance(chunks: number): void;
  /** A line that stays. */
  note(line: string): void;
  end(): void;
}

export function startProgress(total: number): Progress {
  return process.stderr.isTTY && total > 0 ? bar(total) : lines(total);
}

function bar(total: number): Progress {
  const single = new SingleBar({
    format: "{bar} {value}/{total} documents, {chunks} chunks, {eta_formatted} left",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    etaBuffer: 50,
  });
  single.start(total, 0, { chunks: 0 });
  return {
    advance: (chunks) => single.increment(1, { chunks }),
    // Over the bar, which draws itself anew below.
    note: (line) => process.stderr.write(`\r\x1b[K${line}\n`),
    end: () => single.stop(),
  };
}

function lines(total: number): Progress {
  let done = 0;
  let last_ms = performance.now();
  return {
    advance(chunks) {
      done++;
      if (performance.now() - last_ms < LINE_EVERY_MS) return;
      last_ms = performance.now();
      console.error(`${done}/${total} documents, ${chunks} chunks`);
    },
    note: (line) => console.error(line),
    end: () => {},
  };
}
