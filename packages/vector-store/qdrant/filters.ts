/** Which points a request is about. Each filter begins with the tenant: no caller can leave it out. */
import type { Schemas } from "@qdrant/js-client-rest";
import type { Metadata, SearchFilter } from "../types.ts";

export type Filter = Schemas["Filter"];
type Condition = Schemas["FieldCondition"];

/** Fields that filters use, and their index types. */
export const INDEXED = {
  // Qdrant lays the points of a tenant together.
  tenant: { type: "keyword", is_tenant: true },
  document_id: "keyword",
  kind: "keyword",
  version: "integer",
  facets: "keyword",
} as const satisfies Record<string, Schemas["PayloadFieldSchema"]>;

/**
 * A document's metadata as its chunks have it to filter by: `["lang","en"]`. One indexed field for all names,
 * since nobody knows the names beforehand, an unindexed one is read point by point, and `match` on the values
 * themselves would know no fractions and take a dot in a name for a path.
 */
export function facetsOf(metadata: Metadata): string[] {
  return Object.entries(metadata).map(([name, value]) => facet(name, value));
}

function facet(name: string, value: string | number | boolean): string {
  return JSON.stringify([name, value]);
}

export function ofKind(kind: "document" | "chunk"): Condition {
  return { key: "kind", match: { value: kind } };
}

export function ofTenant(tenant: string): Condition {
  return { key: "tenant", match: { value: tenant } };
}

export function chunksOf(tenant: string, document_id: string): Condition[] {
  return [ofTenant(tenant), ofKind("chunk"), { key: "document_id", match: { value: document_id } }];
}

/** Points of versions older than `version`: what a write may overwrite or take away. */
export function olderThan(version: number): Condition {
  return { key: "version", range: { lt: version } };
}

/**
 * The tenant's chunks that the request's filter leaves; `undefined` if that can be none. Of documents in `live`,
 * only those of the version given there, or none at all where it is `undefined`.
 */
export function searchedChunks(
  tenant: string,
  { document_ids, metadata = {} }: SearchFilter,
  live: ReadonlyMap<string, number | undefined>,
): Filter | undefined {
  const facets = Object.entries(metadata).map(([name, wanted]) =>
    [wanted].flat().map((value) => facet(name, value)),
  );
  const lists = [...(document_ids ? [document_ids] : []), ...facets];
  // An empty list matches nothing, and is not left to the server to understand so.
  if (lists.some(({ length }) => length === 0)) return undefined;
  const must: Condition[] = [ofTenant(tenant), ofKind("chunk")];
  if (document_ids) must.push({ key: "document_id", match: { any: [...document_ids] } });
  for (const any of facets) must.push({ key: "facets", match: { any } });
  if (live.size === 0) return { must };
  const must_not = [...live].map(([document_id, version]) => ({
    must: [{ key: "document_id", match: { value: document_id } }],
    must_not: version === undefined ? [] : [{ key: "version", match: { value: version } }],
  }));
  return { must, must_not };
}
