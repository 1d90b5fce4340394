/** Compiled checks: a schema becomes one function at start, not a walk per message. */
import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";

/** A schema with its compiled check. */
export interface Contract<S extends TSchema> {
  readonly schema: S;
  /** Whether `value` fits; never throws. */
  check(value: unknown): value is Static<S>;
  /** The first thing wrong with `value`, in words: `/top_k: Expected integer`. Empty if it fits. */
  explain(value: unknown): string;
}

/** What a contract's values look like in TypeScript. */
export type Of<C> = C extends Contract<infer S> ? Static<S> : never;

export function contract<S extends TSchema>(schema: S): Contract<S> {
  const compiled = TypeCompiler.Compile(schema);
  return {
    schema,
    check: (value): value is Static<S> => compiled.Check(value),
    explain(value) {
      const first = compiled.Errors(value).First();
      return first ? `${first.path || "/"}: ${first.message}` : "";
    },
  };
}
