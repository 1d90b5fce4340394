/** Whose request it is: the one place that knows. */
import { DEFAULT_TENANT } from "#contracts";

/** The tenant in whose name a request reads, writes and asks. */
export function tenantOf(_request: Request): string {
  return DEFAULT_TENANT;
}
