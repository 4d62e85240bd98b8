import { canonicalize } from '@tallystick/event';
import {
  createGenesisRecord,
  FrontierBuilder,
  indexedColumns,
  leafHash,
  readRecord,
  sealRecord,
} from '@tallystick/log';
import { describe, expect, test } from 'vitest';
import { Findings } from '../../src/report.ts';
import type { StoredRow } from '../../src/store/columns.ts';
import { RecordsCheck } from '../../src/store/records-check.ts';
import { TreeCheck } from '../../src/tree-check.ts';

const tenantId = 'acme';
const origin = 'log.test/acme/1';
const ingestedAt = '2026-03-01T12:00:00.000Z';

const rows: StoredRow[] = [];
const tree = new FrontierBuilder();
for (let at = 0; at < 12; at++) rows.push(rowAt(at, rows.at(-1)?.record_hash));

function rowAt(sequenceNumber: number, previousHash: string | undefined): StoredRow {
  const event = {
    audit_id: `00000000-0000-4000-8000-${String(sequenceNumber).padStart(12, '0')}`,
    tenant_id: tenantId,
    timestamp: '2026-03-01T11:00:00.000Z',
    event_type: 'content.publish',
    actor_type: 'user',
    actor_id: `user ${sequenceNumber}`,
    source_service: 'test',
  };
  const sealed =
    previousHash === undefined
      ? createGenesisRecord({ tenantId, origin, epoch: 1, ingestedAt, nonce: '0'.repeat(32) })
      : sealRecord({
          canonicalEvent: canonicalize(event),
          ingest: { nonce: '0'.repeat(32), source: 'test', trust: 'operator' },
          ingestedAt,
          previousHash,
          sequenceNumber,
          tenantId,
        });
  tree.append(leafHash(sealed.hash));
  const record = readRecord(sealed.text);
  return {
    ...indexedColumns(record.event),
    sequence_number: sequenceNumber,
    ingested_at: ingestedAt,
    previous_hash: record.previous_hash,
    record_hash: sealed.hashHex,
    record: sealed.text,
  };
}

const signed = { origin, size: rows.length, root: tree.root() };

function check(list: readonly StoredRow[], from = 0) {
  const findings = new Findings();
  const start = new FrontierBuilder();
  for (const { record_hash } of rows.slice(0, from)) start.append(leafHash(Buffer.from(record_hash, 'hex')));
  const treeCheck = new TreeCheck([signed], findings, start.snapshot());
  const after = from === 0 ? undefined : { sequenceNumber: from - 1, hashHex: rows[from - 1]!.record_hash };
  const records = new RecordsCheck({ tenantId, origin, after, tree: treeCheck, findings });
  const columns = list.flatMap((row) =>
    records.check(row).map(({ column }) => `${column} ${row.sequence_number}`),
  );
  const codes = findings.list.map(({ code, sequence_number }) => `${code} ${sequence_number}`);
  return { records, columns, codes, treeSize: treeCheck.size };
}

describe('rows that are in order', () => {
  test('have no findings, from the beginning and from the middle', () => {
    expect(check(rows)).toMatchObject({ columns: [], codes: [], treeSize: 12 });
    const { records, ...rest } = check(rows.slice(5), 5);
    expect(rest).toEqual({ columns: [], codes: [], treeSize: 12 });
    expect([records.records, records.nextSequence, records.headHash]).toEqual([
      7,
      12,
      rows.at(-1)!.record_hash,
    ]);
  });
});

describe('rows that were changed', () => {
  test('every column that differs from the record is returned', () => {
    const changed = { ...rows[4]!, actor_id: 'eve', tenant_id: 'globex', previous_hash: '0'.repeat(64) };
    expect(check(rows.with(4, changed))).toMatchObject({
      columns: ['tenant_id 4', 'previous_hash 4', 'actor_id 4'],
      codes: [],
    });
  });

  test('a changed record is a finding at its place and at the checkpoint', () => {
    const record = rows[4]!.record.replace('user 4', 'user 9');
    expect(check(rows.with(4, { ...rows[4]!, record }))).toMatchObject({
      columns: ['actor_id 4'],
      codes: ['RECORD_HASH_MISMATCH 4', 'CHECKPOINT_ROOT_MISMATCH 11'],
    });
  });

  test('after a gap the tree is not continued, and the records are still checked', () => {
    const record = rows[8]!.record.replace('user 8', 'user 9');
    const list = rows.with(8, { ...rows[8]!, record }).toSpliced(4, 1);
    const { records, codes, treeSize } = check(list);
    expect(codes).toEqual(['SEQUENCE_GAP 5', 'RECORD_HASH_MISMATCH 8']);
    expect(records.hasGap).toBe(true);
    expect(treeSize).toBe(4);
  });
});
