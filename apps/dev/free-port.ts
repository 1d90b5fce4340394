/** `preferred` if nothing listens there, else any free port. */
export function freePort(preferred: number): number {
  return tryListen(preferred) ?? tryListen(0)!;
}

/** The port, if it is free now: another program may still take it before it is used. */
export function tryListen(port: number): number | undefined {
  try {
    const probe = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    probe.stop(true);
    return probe.port;
  } catch {
    return undefined;
  }
}
