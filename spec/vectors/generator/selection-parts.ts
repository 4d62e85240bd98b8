import type { SealedRecord } from '@tallystick/log';
import { base64, chain, checkpoint, event, origin } from './fixture.ts';
import { leavesOf, multiproof, root } from './naive-tree.ts';
import { type ZipEnd, type ZipFile, zip } from './zip-writer.ts';

/** The files of an export with evidence (spec/selection.md), in their order. */
export interface SelectionFiles {
  readonly manifest: string;
  readonly checkpoint: string;
  readonly 'multiproof.txt': string;
  readonly 'records.jsonl': string;
  readonly 'events.csv': string;
}
export type SelectionFileName = keyof SelectionFiles;

/** A record with a value of each kind in its columns. */
const awkward = event(5, {
  actor_id: '=cmd(), "x"\nü',
  entity_ids: ['host-1', '-2'],
  outcome: { outcome_status: 'failure', error_message: 'no;=1' },
  metadata: { count: 3, 'a"b': null },
  retention_days: 365,
  is_sensitive: false,
});
/** An event that claims to be the word of the service. */
const claim = event(6, { event_type: 'audit.read', actor_type: 'service' });
export const records = chain(10, { 5: { event: awkward }, 6: { event: claim } });
/** The checkpoint of the selections covers the first nine records. */
export const covered = 9;
export const leaves = leavesOf(records).slice(0, covered);
export const head = await checkpoint(covered, root(leaves));
export const selected: readonly number[] = [2, 5, 6, 8];

/** The columns of the table, written down as spec/selection.md has them. */
const columns = [
  ...['epoch', 'sequence_number', 'ingested_at', 'audit_id', 'tenant_id', 'timestamp', 'event_type'],
  ...[
    'event_category',
    'event_action',
    'severity',
    'actor_type',
    'actor_id',
    'actor_permissions',
    'on_behalf_of',
  ],
  ...['target_type', 'target_id', 'investigation_id', 'alert_id', 'entity_ids', 'correlation_id', 'trace_id'],
  ...['span_id', 'parent_id', 'idempotency_key', 'source_ip', 'user_agent', 'context', 'decision'],
  ...[
    'outcome_status',
    'outcome',
    'proof',
    'event_data',
    'metadata',
    'namespace',
    'cluster',
    'retention_days',
  ],
  ...['is_sensitive', 'source_service', 'event_version', 'sealed', 'ingest_trust', 'ingest_principal'],
  ...['ingest_source', 'previous_hash', 'record_hash', 'note'],
];
export const tableHead = `${columns.join(',')}\r\n`;

/** Cells whose text is not that of the value. They are written down, so that no code of a verifier makes them. */
const cells: { readonly [sequence: number]: { readonly [column: string]: string } } = {
  5: {
    actor_id: `"'=cmd(), ""x""\\nü"`,
    entity_ids: '"[""host-1"",""-2""]"',
    outcome_status: 'failure',
    outcome: `"{""error_message"":""no;'=1"",""outcome_status"":""failure""}"`,
    metadata: '"{""a\\""b"":null,""count"":3}"',
  },
  6: { note: 'claimed' },
};

/** The line of a record. Its other values are plain texts and numbers, or the metadata of the first record. */
export function lineOf({ text, hashHex }: Pick<SealedRecord, 'text' | 'hashHex'>, epoch = 1): string {
  const record = JSON.parse(text);
  const { sequence_number, ingested_at, previous_hash, ingest } = record;
  const shown: { readonly [column: string]: unknown } = {
    ...{ ...record.event, epoch, sequence_number, ingested_at, previous_hash, record_hash: hashHex },
    ...{ ingest_trust: ingest.trust, ingest_principal: ingest.principal, ingest_source: ingest.source },
    ...cells[sequence_number],
  };
  return `${columns.map((column) => plainCell(shown[column])).join(',')}\r\n`;
}

function plainCell(value: unknown): string {
  return typeof value === 'object' ? `"${JSON.stringify(value).replaceAll('"', '""')}"` : String(value ?? '');
}

/** What the reader of an export is shown of a record that is withheld. */
export function identity(sequence: number, fields: object, of = records): object {
  const { ingested_at, previous_hash } = JSON.parse(of[sequence]!.text);
  return {
    tenant_id: 'acme',
    audit_id: `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`,
    epoch: 1,
    sequence_number: sequence,
    previous_hash,
    record_hash: of[sequence]!.hashHex,
    ingested_at,
    ...fields,
  };
}

/** The line of a withheld record in the table. */
export function withheldLine(shown: object, note: string): string {
  const values: { readonly [column: string]: unknown } = { ...shown, note };
  return `${columns.map((column) => String(values[column] ?? '')).join(',')}\r\n`;
}

export function manifestOf(epochs: readonly (readonly [number, number])[], changes: object = {}): string {
  return `${JSON.stringify({ tallystick_selection: 1, origin, epochs, rotations: [], ...changes })}\n`;
}

export const proofOf = (indexes: readonly number[], tree: readonly Uint8Array[] = leaves): string =>
  multiproof(indexes, tree)
    .map((hash) => `${base64(hash)}\n`)
    .join('');

/** The files of a selection of these records, as an export writes them. */
export function filesOf(indexes: readonly number[], of: readonly SealedRecord[] = records): SelectionFiles {
  const list = indexes.map((index) => of[index]!);
  return {
    manifest: manifestOf(indexes.length === 0 ? [] : [[1, indexes.length]]),
    checkpoint: head,
    'multiproof.txt': indexes.length === 0 ? '' : proofOf(indexes),
    'records.jsonl': list.map(({ text }) => `${text}\n`).join(''),
    'events.csv': tableHead + list.map((record) => lineOf(record)).join(''),
  };
}

export const entriesOf = (files: SelectionFiles): ZipFile[] =>
  Object.entries(files).map(([name, text]) => ({ name, data: new TextEncoder().encode(text) }));

export const archiveOf = (files: SelectionFiles, end?: ZipEnd): Uint8Array => zip(entriesOf(files), end);

/** The archive with one file of the given bytes. */
export function archiveWith(
  files: SelectionFiles,
  name: SelectionFileName,
  change: Partial<ZipFile>,
): Uint8Array {
  return zip(entriesOf(files).map((entry) => (entry.name === name ? { ...entry, ...change } : entry)));
}
