import { canonicalize } from '@tallystick/event';
import type { SealedRecord } from '@tallystick/log';
import { chain, event, genesis, origin, record, tenant, time } from './fixture.ts';

const plain = chain(5);
const zero = '0'.repeat(64);

function changed(record: SealedRecord, changes: object): string {
  return canonicalize({ ...JSON.parse(record.text), ...changes });
}
const by = (changes: object) =>
  changed(plain[1]!, { ingest: { ...JSON.parse(plain[1]!.text).ingest, ...changes } });

/** A record whose arrays and objects are nested `levels` deep. The record, its event and `metadata` are three of them. */
const nested = (levels: number) =>
  record(1, zero, {
    event: event(1, { metadata: { a: JSON.parse('['.repeat(levels - 3) + ']'.repeat(levels - 3)) } }),
  });

const valid: readonly (readonly [string, SealedRecord])[] = [
  ['genesis', plain[0]!],
  ['a record', plain[1]!],
  [
    'names and texts that are hard to write canonically',
    record(1, zero, {
      event: event(1, {
        metadata: {
          '10': [1e21, -0, 0.1],
          '9': '\u0000\u001f\u2028"\\/',
          '\u{1f600}': 1,
          '\ufb33': 2,
          toJSON: '\u00e9',
          ['__proto__']: null,
        },
      }),
    }),
  ],
  ['1,000 levels', nested(1_000)],
];

const malformed: readonly (readonly [string, string])[] = [
  ['no JSON', plain[1]!.text.slice(1)],
  ['a space', plain[1]!.text.replace(',"ingest"', ', "ingest"')],
  ['a final newline', `${plain[1]!.text}\n`],
  ['a duplicate name', plain[1]!.text.replace('{"event":{', '{"event":{"actor_id":"u-9",')],
  ['an integer that no double holds', plain[1]!.text.replace('"u-1"', '9007199254740993')],
  ['an escaped lone surrogate', plain[1]!.text.replace('"u-1"', '"\\ud800"')],
  [
    'members out of order',
    `{"ingest":${plain[1]!.text.match(/"ingest":(\{[^}]*\})/)![1]},${plain[1]!.text.slice(1).replace(/"ingest":\{[^}]*\},/, '')}`,
  ],
  ['1,001 levels', nested(1_001).text],
  ['null', 'null'],
  ['an array', '[]'],
  ['a member too many', changed(plain[1]!, { extra: 1 })],
  ['a member too few', changed(plain[1]!, { tenant_id: undefined })],
  ['another version', changed(plain[1]!, { record_version: '2' })],
  ['a negative sequence', changed(plain[1]!, { sequence_number: -1 })],
  ['a fractional sequence', changed(plain[1]!, { sequence_number: 0.5 })],
  ['a sequence that is a text', changed(plain[1]!, { sequence_number: '1' })],
  ['a sequence that is true', changed(plain[1]!, { sequence_number: true })],
  ['a malformed tenant', changed(plain[1]!, { tenant_id: 'a/b' })],
  ['an upper-case hash', changed(plain[1]!, { previous_hash: 'A'.repeat(64) })],
  ['a short hash', changed(plain[1]!, { previous_hash: 'a'.repeat(63) })],
  ['a time without milliseconds', changed(plain[1]!, { ingested_at: '2026-03-01T12:00:00Z' })],
  ['an event that is no object', changed(plain[1]!, { event: [] })],
  ['ingest that is null', changed(plain[1]!, { ingest: null })],
  ['an unknown member of ingest', by({ colour: 'red' })],
  ['a short nonce', by({ nonce: '0'.repeat(31) })],
  ['no source', by({ source: undefined })],
  ['an unknown trust', by({ trust: 'none' })],
  ['a principal that is null', by({ principal: null })],
  ['a producer that is no UUID', by({ producer_id: 'p-1' })],
  ['a producer sequence of 0', by({ producer_seq: 0 })],
];

interface Chain {
  readonly name: string;
  readonly records: readonly SealedRecord[];
  readonly findings: readonly string[];
}

const edited = (at: number, from: string, to: string): SealedRecord => ({
  ...plain[at]!,
  text: plain[at]!.text.replace(from, to),
});
const bareGenesis = (changes: object) => ({
  ...plain[0]!,
  text: changed(plain[0]!, { event: { ...JSON.parse(plain[0]!.text).event, ...changes } }),
});

const chains: readonly Chain[] = [
  { name: 'a whole chain', records: plain, findings: [] },
  { name: 'genesis alone', records: [genesis()], findings: [] },
  {
    name: 'an edited record',
    records: plain.with(2, edited(2, 'u-2', 'u-9')),
    findings: ['CHAIN_LINK_BROKEN@3'],
  },
  {
    name: 'an edited last record: only a checkpoint can tell',
    records: plain.with(4, edited(4, 'u-4', 'u-9')),
    findings: [],
  },
  { name: 'a cut tail: only a checkpoint can tell', records: plain.slice(0, 3), findings: [] },
  {
    name: 'a record that is not canonical',
    records: plain.with(4, edited(4, '{"event":{', '{"event":{"actor_id":"u-9",')),
    findings: ['RECORD_NOT_CANONICAL@4'],
  },
  {
    name: 'bytes that are no record',
    records: [...plain, { ...plain[0]!, text: '{}' }],
    findings: ['RECORD_NOT_CANONICAL@5'],
  },
  { name: 'a deleted record', records: plain.toSpliced(2, 1), findings: ['SEQUENCE_GAP@3'] },
  { name: 'no genesis', records: plain.slice(1), findings: ['SEQUENCE_GAP@1'] },
  { name: 'a record twice', records: plain.toSpliced(3, 0, plain[2]!), findings: ['SEQUENCE_DUPLICATE@2'] },
  {
    name: 'two records swapped',
    records: plain.with(2, plain[3]!).with(3, plain[2]!),
    findings: ['SEQUENCE_GAP@3', 'SEQUENCE_DUPLICATE@2', 'TIME_REGRESSION@2', 'SEQUENCE_GAP@4'],
  },
  {
    name: 'a broken link',
    records: chain(5, { 3: { previousHash: zero } }),
    findings: ['CHAIN_LINK_BROKEN@3'],
  },
  {
    name: "another tenant's record",
    records: chain(5, { 3: { tenantId: 'other' } }),
    findings: ['TENANT_MISMATCH@3'],
  },
  {
    name: "another tenant's event",
    records: chain(5, { 3: { event: event(3, { tenant_id: 'other' }) } }),
    findings: ['TENANT_MISMATCH@3'],
  },
  {
    name: 'a clock set back',
    records: chain(5, { 3: { ingestedAt: time(1) } }),
    findings: ['TIME_REGRESSION@3'],
  },
  {
    name: 'a second genesis',
    records: chain(5, { 3: { event: event(3, { event_type: 'system.genesis' }) } }),
    findings: ['GENESIS_INVALID@3'],
  },
  { name: 'an ordinary first record', records: [record(0, zero)], findings: ['GENESIS_INVALID@0'] },
  {
    name: "another log's genesis",
    records: [genesis({ origin: 'evil.example/acme/1' })],
    findings: ['GENESIS_INVALID@0'],
  },
  {
    name: 'a genesis of another epoch',
    records: [genesis({ origin: 'audit.example.com/acme/2', epoch: 2 })],
    findings: ['GENESIS_INVALID@0'],
  },
  {
    name: 'a genesis at odds with itself',
    records: [genesis({ epoch: 2 })],
    findings: ['GENESIS_INVALID@0'],
  },
  {
    name: 'a genesis without metadata',
    records: [bareGenesis({ metadata: undefined })],
    findings: ['GENESIS_INVALID@0'],
  },
  {
    name: 'a genesis by a user',
    records: [bareGenesis({ actor_type: 'user' })],
    findings: ['GENESIS_INVALID@0'],
  },
  {
    name: 'a genesis with a predecessor',
    records: [{ ...plain[0]!, text: changed(plain[0]!, { previous_hash: '1'.repeat(64) }) }],
    findings: ['CHAIN_LINK_BROKEN@0', 'GENESIS_INVALID@0'],
  },
];

export function recordVectors(): unknown {
  return {
    description:
      'valid: bytes of records and their hashes. malformed: texts that are RECORD_NOT_CANONICAL. chains: records, only their bytes, checked one after the other from sequence 0 for the given tenant and origin. A number means that record of `plain`. Findings are code@sequence_number, in order.',
    valid: valid.map(([name, { text, hashHex }]) => ({ name, record: text, record_hash: hashHex })),
    malformed: malformed.map(([name, text]) => ({ name, record: text })),
    tenant_id: tenant,
    origin,
    plain: plain.map(({ text }) => text),
    chains: chains.map(({ name, records, findings }) => ({
      name,
      records: records.map(({ text }) => {
        const at = plain.findIndex((known) => known.text === text);
        return at < 0 ? text : at;
      }),
      findings,
    })),
  };
}
