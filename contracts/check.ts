/** Compiled checks: a schema becomes one function, not a walk per message. */
import type { Static, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler, type ValueError } from "@sinclair/typebox/compiler";

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
  // With the first value: a program compiles what it checks, not all that there is.
  let compiled: TypeCheck<S> | undefined;
  const compile = () => (compiled ??= TypeCompiler.Compile(schema));
  return {
    schema,
    check: (value): value is Static<S> => (compiled ?? compile()).Check(value),
    explain(value) {
      const first = compile().Errors(value).First();
      if (!first) return "";
      const { path, message } = nearest(first);
      return `${path || "/"}: ${message}`;
    },
  };
}

/** Of a value that fits none of several shapes: what keeps it from the one that it comes nearest to. */
function nearest(error: ValueError): ValueError {
  const variants = error.errors.map((errors) => [...errors]);
  const depth = ([first]: ValueError[]) => first?.path.split("/").length ?? 0;
  const [closest] = variants.sort((a, b) => a.length - b.length || depth(b) - depth(a));
  return closest?.[0] ? nearest(closest[0]) : error;
}
