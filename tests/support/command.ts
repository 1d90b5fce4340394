/** A program of the project that runs to its end. */

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param args as on a command line, between spaces. */
export async function runCommand(
  program: string,
  args: string,
  env: Record<string, string>,
): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, program, ...args.split(" ").filter(Boolean)], {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
