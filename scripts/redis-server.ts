/** Installs `redis-server` with the system's own package manager, where it is missing and that is allowed. */

interface PackageManager {
  readonly program: string;
  readonly commands: readonly (readonly string[])[];
}

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    program: "apt-get",
    commands: [
      ["apt-get", "update", "-qq"],
      ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"],
      // Debian starts a service of its own; `bun run dev` starts what it needs, on the same port.
      ["service", "redis-server", "stop"],
    ],
  },
  { program: "dnf", commands: [["dnf", "install", "-y", "-q", "redis"]] },
  { program: "apk", commands: [["apk", "add", "--quiet", "redis"]] },
  { program: "brew", commands: [["brew", "install", "--quiet", "redis"]] },
];

/** `undefined` when `redis-server` is there; otherwise a sentence that says what to do. */
export async function ensureRedisServer(): Promise<string | undefined> {
  if (Bun.which("redis-server")) return undefined;
  const manager = PACKAGE_MANAGERS.find(({ program }) => Bun.which(program));
  const by_hand = "install redis-server (6.2 or newer), or set REDIS_URL to a Redis that runs";
  if (!manager) return `Ragline needs Redis and knows no package manager here: ${by_hand}.`;

  const prefix = rootPrefix(manager.program);
  if (!prefix) return `Ragline needs Redis and may not install it here: ${by_hand}.`;

  console.error(`Setting up: redis-server, with ${manager.program}`);
  for (const command of manager.commands) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const done = Bun.spawn([...prefix, ...command], {
      env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const complaint = await new Response(done.stderr).text();
    if ((await done.exited) !== 0) console.error(complaint.trim());
  }
  return Bun.which("redis-server") ? undefined : `${manager.program} could not install Redis: ${by_hand}.`;
}

/** What to put before a command so that it may install; `undefined` if nothing would do without a password. */
function rootPrefix(program: string): string[] | undefined {
  if (program === "brew" || process.getuid?.() === 0) return [];
  const sudo = Bun.which("sudo");
  if (!sudo) return undefined;
  const allowed = Bun.spawnSync([sudo, "-n", "true"]).success;
  return allowed ? [sudo, "-n", "-E"] : undefined;
}
