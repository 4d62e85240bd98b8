import type { EventFilters } from '@tallystick/event';
import { commonWordEvery, rareWordRecords } from './made-events.ts';

/** One request of the benchmark. */
export interface Query {
  readonly name: string;
  readonly filters: EventFilters;
  readonly q?: string;
}

const dayMs = 24 * 3_600_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

/** A value of each filter that many records have, or as many as belong together. */
export const common: readonly Query[] = Object.entries({
  event_type: 'auth.login',
  'event_type, a prefix': 'data.*',
  event_category: 'access',
  severity: 'warning',
  actor_type: 'agent',
  actor_id: 'person-17',
  actor: 'user:person-17',
  target_type: 'file',
  target_id: 'target-17',
  investigation_id: 'inv-50',
  alert_id: 'alert-100',
  correlation_id: 'request-777',
  trace_id: (1_000).toString(16).padStart(32, '0'),
  outcome_status: 'failure',
  source_service: 'billing',
  is_sensitive: true,
  entity_ids: 'host-17',
  on_behalf_of: 'user:person-5',
  'source_ip, a range': '10.1.2.0/24',
  'metadata.platform': 'ios',
  'context.job': 'job-7',
}).map(([name, value]) => ({ name, filters: { [name.split(',')[0]!]: value } as EventFilters }));

/** Values that 100 records of a store have, most of them of fields with few values. */
export const rare: readonly Query[] = Object.entries({
  event_type: 'config.secret_rotated',
  event_category: 'secrets',
  severity: 'critical',
  actor_type: 'webhook',
  actor_id: 'rare-actor',
  target_type: 'vault',
  target_id: 'rare-target',
  outcome_status: 'denied',
  source_service: 'legacy',
  entity_ids: 'rare-host',
  source_ip: '203.0.113.9',
  'metadata.platform': 'mainframe',
  'context.job': 'rare-job',
}).map(([name, value]) => ({ name: `${name}, a rare value`, filters: { [name]: value } as EventFilters }));

/** Ranges, the newest records first: the last days, and a time long ago. The small store has three months. */
export const ranges: readonly Query[] = [
  { name: 'no filter', filters: {} },
  { name: 'from, the last 7 days', filters: { from: ago(7) } },
  { name: 'from and to, a day 50 days ago', filters: { from: ago(51), to: ago(50) } },
  { name: 'from and to, 20 days that ended 40 days ago', filters: { from: ago(60), to: ago(40) } },
  {
    name: 'ingested_from and ingested_to, 20 days',
    filters: { ingested_from: ago(60), ingested_to: ago(40) },
  },
  { name: 'sequence_from and sequence_to', filters: { sequence_from: 2_000, sequence_to: 9_000 } },
  { name: 'severity and 20 days', filters: { severity: 'warning', from: ago(60), to: ago(40) } },
  { name: 'a rare value and 20 days', filters: { severity: 'critical', from: ago(60), to: ago(40) } },
];

/** Every two of the values above that some records have together, because fields of records are independent of each other. */
export const pairs: readonly Query[] = [
  ...pairsOf(common.filter(({ name }) => isFrequent(name))),
  ...pairsOf(rare),
];

/** Two values that no record has together. */
export const withoutMatches: readonly Query[] = [
  { name: 'severity and actor_id', filters: { severity: 'critical', actor_id: 'person-17' } },
  { name: 'context.job and target_type', filters: { 'context.job': 'rare-job', target_type: 'file' } },
  { name: 'two frequent values', filters: { event_type: 'data.*', event_category: 'access' } },
  { name: 'source_ip and source_service', filters: { source_ip: '203.0.113.9', source_service: 'billing' } },
];

export const searches: readonly Query[] = [
  { name: `search: a word of ${rareWordRecords} records`, filters: {}, q: 'zebrafish' },
  { name: `search: a word of one record in ${commonWordEvery}`, filters: {}, q: 'walrus' },
  { name: 'search: a range of addresses and a word left out', filters: {}, q: '10.1.0.0/16 -walrus' },
];

function isFrequent(name: string): boolean {
  return !/^(?:target_id|investigation_id|alert_id|correlation_id|trace_id|entity_ids)/.test(name);
}

function pairsOf(queries: readonly Query[]): Query[] {
  return queries.flatMap((one, at) =>
    queries.slice(at + 1).flatMap((other) => {
      const [field] = Object.keys(other.filters);
      if (field! in one.filters) return [];
      // A type has one category.
      if (field === 'event_category' && 'event_type' in one.filters) return [];
      // `actor` and its parts look at the same members.
      if (field!.startsWith('actor') && Object.keys(one.filters)[0]!.startsWith('actor')) return [];
      return [{ name: `${one.name} and ${other.name}`, filters: { ...one.filters, ...other.filters } }];
    }),
  );
}
