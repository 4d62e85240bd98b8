import type { AnyEvent } from '../fields/filter-match.ts';

/**
 * Members that are not searched: every event of a trail has the same tenant, and `sealed` has digests of values that only their openings
 * show.
 */
const skipped: ReadonlySet<string> = new Set(['tenant_id', 'sealed']);

/**
 * The texts of an event: every text and number that is a value in it, each by itself. Names of members, truth values and nulls are not
 * searched. The event may be forged.
 */
export function textsOf(event: AnyEvent): string[] {
  const found: string[] = [];
  for (const name in event) if (!skipped.has(name)) collect(event[name], found);
  return found;
}

function collect(value: unknown, found: string[]): void {
  if (typeof value === 'string') found.push(value);
  else if (typeof value === 'number') found.push(JSON.stringify(value));
  else if (Array.isArray(value)) for (const element of value) collect(element, found);
  else if (typeof value === 'object' && value !== null)
    for (const name in value) collect((value as AnyEvent)[name], found);
}
