/** docker-compose.yml as Compose reads it where no variable is set: defaults filled in, `<<` merged. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

export const composeFile: { services: Record<string, Service> } = parse(
  readFileSync("docker-compose.yml", "utf8"),
  (_, value) => (typeof value === "string" ? interpolate(value) : value),
  { merge: true },
);

function interpolate(value: string): string {
  return value.replaceAll(/\$\{\w+:-(.*?)\}/g, "$1").replaceAll("$$", () => "$");
}

export const services = new Map(Object.entries(composeFile.services));

/** Services of the project's own image, which stay up. */
export const apps = new Map([...services].filter(([name, { build }]) => build && name !== "ingest"));

/** An app's environment as a process gets it. */
export function environmentOf({ environment = {} }: Service): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
}

/** The file that a service of the project's own image runs. */
export function programOf({ command = [] }: Service): string {
  const [bun, path] = command;
  if (bun !== "bun" || path === undefined) throw new Error(`not a command with bun: ${command.join(" ")}`);
  return path;
}
