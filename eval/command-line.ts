/** The arguments of the evaluations. */
import { parseArgs } from "node:util";

export interface EvalCommand {
  /** Positional arguments. */
  readonly paths: readonly string[];
  /** Which store to fill and search; where it is not given, the one that the settings name. */
  readonly store?: "sqlite" | "qdrant";
  /** Folder of what is kept between runs; where it is not given, one below `.data/eval`. */
  readonly data_dir?: string;
  /** Print one JSON object on stdout. */
  readonly json: boolean;
}

export const OPTIONS_HELP = `  --store sqlite|qdrant   the store to fill and search; by default Qdrant where QDRANT_URL is set
  --data-dir DIR          where the index is kept for the next run; by default below .data/eval
  --json                  print one JSON object on stdout, and progress on stderr
  --help                  show this
`;

/** Ends the process for `--help` (exit code 0), and for arguments that make no sense (2). */
export function commandOrExit(
  usage: string,
  paths: { readonly least: number; readonly most: number },
): EvalCommand {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        store: { type: "string" },
        "data-dir": { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (positionals.length < paths.least) throw new TypeError("which folder?");
    if (positionals.length > paths.most) throw new TypeError(`one folder, not ${positionals.length}`);
    const { store } = values;
    if (store !== undefined && store !== "sqlite" && store !== "qdrant") {
      throw new TypeError(`--store is "${store}": sqlite or qdrant`);
    }
    return { paths: positionals, store, data_dir: values["data-dir"], json: values.json ?? false };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
