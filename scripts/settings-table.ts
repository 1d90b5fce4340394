/**
 * The README's table of settings, from the schemas that the apps read.
 *   bun run settings          writes it into README.md
 *   bun run settings --check  exit code 1 if README.md does not hold it
 */
import type { TObject } from "@sinclair/typebox";
import { devSettings } from "../apps/dev/config.ts";
import { encoderSettings } from "../apps/encoder/config.ts";
import { gatewaySettings } from "../apps/gateway/config.ts";
import { indexerSettings } from "../apps/indexer/config.ts";
import { llmSettings } from "../apps/llm/config.ts";
import { mockLlmSettings } from "../apps/mock-llm/config.ts";
import { retrieverSettings } from "../apps/retriever/config.ts";
import { webhooksSettings } from "../apps/webhooks/config.ts";
import { loadTestSettings } from "../bench/loadtest/settings.ts";

const apps: Record<string, TObject> = {
  gateway: gatewaySettings,
  encoder: encoderSettings,
  retriever: retrieverSettings,
  llm: llmSettings,
  indexer: indexerSettings,
  webhooks: webhooksSettings,
  dev: devSettings,
  "mock-llm": mockLlmSettings,
  loadtest: loadTestSettings,
};

const START = "<!-- settings: written by `bun run settings` -->";
const END = "<!-- /settings -->";

export function settingsTable(): string {
  const rows = new Map<string, { default: string; description: string; apps: string[] }>();
  for (const [app, schema] of Object.entries(apps)) {
    for (const [name, property] of Object.entries(schema.properties)) {
      const row = rows.get(name) ?? {
        default: shown(property.default),
        description: property.description ?? "",
        apps: [],
      };
      row.apps.push(app);
      rows.set(name, row);
    }
  }
  const lines = [...rows].map(([name, row]) => {
    return `| \`${name}\` | ${row.default} | ${row.description.replaceAll("|", "\\|")} | ${row.apps.join(", ")} |`;
  });
  return ["| setting | default | what | read by |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

function shown(value: unknown): string {
  if (value === undefined) return "";
  const text = String(value);
  return text === "" ? "(empty)" : `\`${text}\``;
}

if (import.meta.main) {
  const readme = Bun.file("README.md");
  const text = await readme.text();
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined)
    throw new Error(`README.md has no place for the settings: put ${START} and ${END} into it`);
  const updated = `${before}${START}\n${settingsTable()}\n${END}${after}`;
  if (process.argv.includes("--check")) {
    if (updated !== text) {
      console.error("README.md does not hold the settings as they are: run `bun run settings`");
      process.exit(1);
    }
  } else {
    await Bun.write(readme, updated);
  }
}
