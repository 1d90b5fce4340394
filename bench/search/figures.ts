/** What the search benchmark found, and how it is shown. */

interface Times {
  readonly p50_ms: number;
  readonly p95_ms: number;
}

/** Of one size of the store. */
export interface Figures {
  readonly chunks: number;
  /** Shares of the exact 10 and 200 nearest that the search by meaning finds. */
  readonly recall_at_10: number;
  readonly recall_at_200: number;
  /** What the first search adds to the process, over what any first search adds. */
  readonly bytes_a_vector: number;
  /** The first search's own time: it loads the vectors. */
  readonly load_ms: number;
  readonly vectors: Times;
  readonly text: Times;
  readonly hybrid: Times;
  readonly exact: Times;
  readonly sqlite_vec: Times;
  readonly commits: {
    readonly quiet_p50_ms: number;
    readonly busy_p50_ms: number;
    readonly ratio: number;
    readonly found_after_ms: number;
  };
}

export function printFigures(figures: readonly Figures[]): void {
  const rows: [what: string, value: (of: Figures) => string][] = [
    ["by meaning, ms", ({ vectors }) => times(vectors)],
    ["  a plain exact scan", ({ exact }) => times(exact)],
    ["  sqlite-vec, exact", ({ sqlite_vec }) => times(sqlite_vec)],
    ["by words, ms", ({ text }) => times(text)],
    ["hybrid, ms", ({ hybrid }) => times(hybrid)],
    [
      "  alone, beside commits: P50",
      ({ commits }) => times({ p50_ms: commits.quiet_p50_ms, p95_ms: commits.busy_p50_ms }),
    ],
    ["  ratio", ({ commits }) => commits.ratio.toFixed(2)],
    ["new document found, ms", ({ commits }) => commits.found_after_ms.toFixed(0)],
    ["recall@10, @200", (of) => `${of.recall_at_10.toFixed(3)} ${of.recall_at_200.toFixed(4)}`],
    ["bytes a vector", ({ bytes_a_vector }) => bytes_a_vector.toFixed(0)],
    ["first search, ms", ({ load_ms }) => load_ms.toFixed(0)],
  ];
  console.log("\nThe SQLite store's search; times are P50 and P95\n");
  console.log(
    line(
      "chunks",
      figures.map(({ chunks }) => chunks.toLocaleString("en")),
    ),
  );
  for (const [what, value] of rows) console.log(line(what, figures.map(value)));
}

function line(what: string, cells: readonly string[]): string {
  return what.padEnd(30) + cells.map((cell) => cell.padStart(16)).join("");
}

function times({ p50_ms, p95_ms }: Times): string {
  return `${p50_ms.toFixed(1)} ${p95_ms.toFixed(1)}`;
}
