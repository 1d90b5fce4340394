/** Whose request it is: the one place that knows. */

/** Who sent a request, as its API key says; without keys, everybody is the default tenant. */
export interface Identity {
  /** In whose name it reads, writes and asks. */
  readonly tenant: string;
  /** Weight among tenants where questions wait: 1 is plain. Absent where tenants do not take turns. */
  readonly priority?: number;
  /** Counts tokens that it cost the models against its key's day. Never rejects. */
  readonly spend: (tokens: number) => Promise<void>;
}

const identities = new WeakMap<Request, Identity>();

export function identify(request: Request, identity: Identity): void {
  identities.set(request, identity);
}

/** @throws Error for a request that was not asked who it is: a route that forgot to must not answer. */
export function identityOf(request: Request): Identity {
  const identity = identities.get(request);
  if (!identity) throw new Error("this request was let in without being asked for its key");
  return identity;
}

/** The tenant in whose name a request reads, writes and asks. Nothing in the request can name another. */
export function tenantOf(request: Request): string {
  return identityOf(request).tenant;
}
