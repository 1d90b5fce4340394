import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { Glob } from "bun";
import manifest from "../../package.json";

const lines = (path: string) => readFileSync(path, "utf8").split("\n");
const instructions = lines("Dockerfile").filter((line) => /^[A-Z]+ /.test(line));
const admitted = lines(".dockerignore")
  .filter((line) => line.startsWith("!"))
  .map((line) => line.slice(1));

test("the image has the Bun that the project asks for", () => {
  const from = instructions.filter((line) => line.startsWith("FROM")).map((line) => line.split(" ")[1]);
  expect(new Set(from)).toEqual(new Set([`oven/${manifest.packageManager.replace("@", ":")}`]));
});

test("the image's processes are not root's", () => {
  expect(instructions.slice(-2)[0]).toBe("USER bun");
});

test("what goes into the image exists, and so does what is copied by name", () => {
  for (const path of admitted) expect([path, existsSync(path)]).toEqual([path, true]);
  const copied = instructions
    .filter((line) => line.startsWith("COPY") && !line.includes("--from"))
    .flatMap((line) => line.split(" ").slice(1, -1))
    .filter((path) => path !== ".");
  for (const path of copied) expect(admitted).toContain(path);
});

test("what the containers run needs no development dependency, and nothing that is not in the image", () => {
  const reached = new Set<string>();
  for (const program of new Glob("apps/*/{main,ingest}.ts").scanSync()) follow(`./${program}`, reached);
  for (const program of ["build-model.ts", "healthcheck.ts"]) follow(`./scripts/${program}`, reached);
  expect([...reached].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  expect(reached.size).toBeGreaterThan(5);
});

const seen = new Set<string>();
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Adds the packages that the file at `path` imports, or any file that it imports. */
function follow(path: string, packages: Set<string>): void {
  if (seen.has(path)) return;
  seen.add(path);
  expect(admitted).toContain(path.split("/")[1]!);
  if (!path.endsWith(".ts")) return;
  for (const { path: specifier } of transpiler.scanImports(readFileSync(path, "utf8"))) {
    const internal = (manifest.imports as Record<string, string>)[specifier];
    if (internal) follow(internal, packages);
    else if (specifier.startsWith(".")) {
      const { pathname } = new URL(specifier, `file:${path.slice(1)}`);
      follow(`.${pathname}`, packages);
    } else if (specifier !== "bun" && !specifier.startsWith("bun:") && !isBuiltin(specifier)) {
      packages.add(specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
    }
  }
}
