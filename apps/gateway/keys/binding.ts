/** Without keys, whoever reaches the gateway reads and writes everything: so nobody does but this machine. */

/** Why the gateway may not listen there; `undefined` if it may. */
export function objectionToHost(config: {
  readonly HOST: string;
  readonly API_KEYS: boolean;
  readonly ALLOW_OPEN: boolean;
}): string | undefined {
  if (config.API_KEYS || config.ALLOW_OPEN || isLoopback(config.HOST)) return undefined;
  return (
    `HOST is ${config.HOST}, which lets other machines in without a key: set API_KEYS=true, ` +
    "or ALLOW_OPEN=true if everybody who can reach it may read and write everything"
  );
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
