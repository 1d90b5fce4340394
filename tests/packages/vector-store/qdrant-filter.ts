/** Qdrant's filters, as far as the store uses them. */
// biome-ignore lint/suspicious/noExplicitAny: conditions are looked into, field by field
type Json = Record<string, any>;
export type Filter = { must?: Json[]; must_not?: Json[] };

/** A payload's list has a value if one of its own is it. */
export function matches(payload: Json, filter: Filter | undefined): boolean {
  if (!filter) return true;
  const { must = [], must_not = [], ...unknown } = filter;
  if (Object.keys(unknown).length > 0) throw new Error(`not known here: ${Object.keys(unknown)}`);
  const holds = (condition: Json): boolean => {
    if (!condition.key) return matches(payload, condition);
    const { match, range } = condition;
    const values = [payload[condition.key]].flat();
    return values.some((value) => {
      if (match?.any) return match.any.includes(value);
      return match ? match.value === value : value < range.lt;
    });
  };
  return must.every(holds) && !must_not.some(holds);
}
