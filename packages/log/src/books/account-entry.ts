import { canonicalize } from '@tallystick/event';

/**
 * A change of a producer's account that no chained event says, as a record of the service names it (spec/books.md). Absent
 * members did not change.
 */
export interface AccountEntry {
  /** API key or source that is responsible for the numbers. */
  readonly submitter: string;
  readonly producerId: string;
  readonly tenantId: string;
  /** Numbers that are settled now. Both ends of a range are included. */
  readonly settled: readonly (readonly [first: number, last: number])[];
  /** The last number that the account has now. */
  readonly final?: number;
  /** The producer has declared that it may end without notice. */
  readonly ephemeral?: true;
  /** Name of the producer. */
  readonly service?: string;
}

/** One text per account, because the number of an event's members is limited. */
export function formatAccountEntry(entry: AccountEntry): string {
  const { submitter, producerId, tenantId, settled, final, ephemeral, service } = entry;
  return canonicalize({
    submitter,
    producer_id: producerId,
    tenant_id: tenantId,
    ...(settled.length > 0 && { settled: settled.map(rangeText).join(' ') }),
    ...(final !== undefined && { final }),
    ...(ephemeral === true && { ephemeral }),
    ...(service !== undefined && { service }),
  });
}

function rangeText([first, last]: readonly [number, number]): string {
  return `${first}-${last}`;
}

const rangePattern = /^([1-9]\d{0,15})-([1-9]\d{0,15})$/;

/** Reads what {@link formatAccountEntry} writes; `undefined` for any other text. */
export function parseAccountEntry(text: unknown): AccountEntry | undefined {
  const parsed = typeof text === 'string' ? parseObject(text) : undefined;
  if (parsed === undefined) return undefined;
  const { submitter, producer_id, tenant_id, settled = '', final, ephemeral, service } = parsed;
  if (typeof submitter !== 'string' || typeof producer_id !== 'string' || typeof tenant_id !== 'string')
    return undefined;
  const ranges = typeof settled === 'string' ? parseRanges(settled) : undefined;
  if (ranges === undefined) return undefined;
  if (final !== undefined && !(Number.isSafeInteger(final) && (final as number) >= 0)) return undefined;
  if (ephemeral !== undefined && ephemeral !== true) return undefined;
  if (service !== undefined && typeof service !== 'string') return undefined;
  return {
    submitter,
    producerId: producer_id,
    tenantId: tenant_id,
    settled: ranges,
    ...(final !== undefined && { final: final as number }),
    ...(ephemeral === true && { ephemeral }),
    ...(service !== undefined && { service }),
  };
}

function parseObject(text: string): { readonly [member: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as { [member: string]: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

function parseRanges(text: string): [number, number][] | undefined {
  if (text === '') return [];
  const ranges: [number, number][] = [];
  for (const part of text.split(' ')) {
    const match = rangePattern.exec(part);
    if (match === null) return undefined;
    const [first, last] = [Number(match[1]), Number(match[2])];
    if (!Number.isSafeInteger(last) || last < first) return undefined;
    ranges.push([first, last]);
  }
  return ranges;
}
