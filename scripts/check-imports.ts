/** Holds the direction of imports: apps -> packages -> contracts; an app never imports an app. Exit code 1 if not. */
import { relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const ALIASES: Record<string, string> = (await Bun.file(resolve(ROOT, "package.json")).json()).imports;

/** The part of the tree that a file belongs to: `contracts`, `packages/queue`, `apps/llm`. */
function partOf(path: string): string {
  const [top = "", name = ""] = path.split("/");
  return top === "apps" || top === "packages" ? `${top}/${name}` : top;
}

/** The part that `specifier` leads to; `undefined` for a dependency. */
function target(importer: string, specifier: string): string | undefined {
  if (specifier in ALIASES) return partOf(relative(ROOT, resolve(ROOT, ALIASES[specifier]!)));
  if (specifier.startsWith(".")) return partOf(relative(ROOT, resolve(ROOT, importer, "..", specifier)));
  return undefined;
}

/** Why `from` may not import `to`; empty if it may. */
function objection(from: string, to: string | undefined, specifier: string): string {
  if (from === "contracts" && to === undefined && !specifier.startsWith("@sinclair/typebox")) {
    return "contracts imports TypeBox alone";
  }
  if (to === undefined || from === to) return "";
  if (from === "contracts") return "contracts imports nothing of the project";
  if (from.startsWith("packages/") && !/^(packages\/|contracts$)/.test(to))
    return "a package imports packages and contracts alone";
  if (from.startsWith("apps/") && to.startsWith("apps/")) return "an app never imports an app";
  return "";
}

const transpiler = new Bun.Transpiler({ loader: "ts" });
let wrong = 0;
for (const path of new Bun.Glob("{apps,packages,contracts}/**/*.ts").scanSync(ROOT)) {
  const source = await Bun.file(resolve(ROOT, path)).text();
  // Type imports are erased by the transpiler and count all the same.
  const erased = [...source.matchAll(/(?:import|export)\s+type\s[^;]*?from\s+"([^"]+)"/g)].map(
    (match) => match[1]!,
  );
  const specifiers = new Set([...transpiler.scanImports(source).map((found) => found.path), ...erased]);
  for (const specifier of specifiers) {
    const why = objection(partOf(path), target(path, specifier), specifier);
    if (!why) continue;
    console.error(`${path}: imports ${specifier}: ${why}`);
    wrong++;
  }
}
if (wrong > 0) process.exit(1);
console.log("imports point one way");
