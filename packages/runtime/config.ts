/**
 * An app's configuration: a TypeBox object whose keys are environment variables, each with a default
 * and a description. Read once at start; a value that makes no sense ends the process with one line
 * that names it, and exit code 2. No other place reads the environment.
 */
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

export type Environment = Record<string, string | undefined>;

/** A setting that makes no sense; the message names it and says what it may be. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * The settings of `schema` from `env`. Unset and empty both mean the default; lists are separated by commas.
 * @throws ConfigError for the first value that does not fit.
 */
export function readConfig<S extends TObject>(schema: S, env: Environment = process.env): Static<S> {
  const raw: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    const text = env[name]?.trim();
    if (text) raw[name] = parse(property, text);
  }
  const config = Value.Default(schema, raw);
  const wrong = Value.Errors(schema, config).First();
  if (wrong) {
    const name = wrong.path.split("/")[1] ?? "";
    const property = schema.properties[name];
    const given = env[name]?.trim() ? `"${env[name]}"` : "not set";
    throw new ConfigError(
      `${name} is ${given}: ${wrong.message.toLowerCase()} (${property?.description ?? "see the README's settings"})`,
    );
  }
  return config as Static<S>;
}

/** As `readConfig`, for the main of an app: a bad value is one line on stderr and exit code 2. */
export function configOrExit<S extends TObject>(schema: S, env: Environment = process.env): Static<S> {
  try {
    return readConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

function parse(schema: TSchema, text: string): unknown {
  switch (schema.type) {
    case "array":
      return text
        .split(",")
        .map((item) => item.trim())
        .filter(Boolean);
    case "integer":
    case "number":
      return Number(text);
    case "boolean":
      return { true: true, "1": true, false: false, "0": false }[text.toLowerCase()] ?? text;
    default:
      return text;
  }
}
