import { type EventFilters, type FilterCondition, filterMatcher, readFilters } from '@tallystick/event';
import { parseSearch, searchMatcher } from '@tallystick/event/search';
import type { AuditRecord } from '@tallystick/log';

/**
 * Whether a record matches a query, by its bytes alone. With it, a client finds events in an answer that do not match the
 * query. It can't find events that the answer left out.
 */
export function queryMatcher(filters: EventFilters, q?: string): (record: AuditRecord) => boolean {
  const conditions = readFilters(filters);
  const ranges = conditions.filter(isRange);
  const matchesValues = filterMatcher(conditions.filter((condition) => !isRange(condition)));
  const matchesSearch = q === undefined ? undefined : searchMatcher(parseSearch(q));
  return (record) =>
    ranges.every((range) => isWithin(range, record)) &&
    matchesValues(record.event) &&
    (matchesSearch === undefined || matchesSearch(record.event));
}

const rangeEnds: ReadonlySet<string> = new Set(['at_least', 'at_most', 'below']);

function isRange({ parameter }: FilterCondition): boolean {
  return rangeEnds.has(parameter.compare);
}

function isWithin({ parameter, values }: FilterCondition, record: AuditRecord): boolean {
  const { name, type } = parameter.field;
  const own = (record as unknown as { readonly [field: string]: unknown })[name] ?? record.event[name];
  const numberOf = (value: unknown) => (type === 'timestamp' ? Date.parse(String(value)) : Number(value));
  const [found, end] = [numberOf(own), numberOf(values[0])];
  if (parameter.compare === 'at_least') return found >= end;
  return parameter.compare === 'at_most' ? found <= end : found < end;
}
