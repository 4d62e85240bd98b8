import { formatAccountEntry } from '@tallystick/log';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/report.ts';
import { isInSlice } from '../../../src/store/books/account-slice.ts';
import { checkAccounts } from '../../../src/store/books/check-accounts.ts';
import type { Query } from '../../../src/store/read-store.ts';

const accounts = 900;
const submitter = 'key:1';
const producerOf = (at: number) => `0190a000-0000-7000-8000-${String(at).padStart(12, '0')}`;
/** Every other number from 3 to 1001. */
const ranges = Array.from({ length: 500 }, (_, at) => [2 * at + 3, 2 * at + 3] as const);

/** The record that says all of an account. */
function recordOf(at: number): string {
  const entry = { submitter, producerId: producerOf(at), tenantId: 'acme', settled: ranges };
  return JSON.stringify({
    event: {
      event_type: 'audit.accounts_changed',
      source_service: 'tallystick',
      metadata: { accounts: [formatAccountEntry(entry)] },
    },
    ingest: { source: 'service', trust: 'service' },
    ingested_at: '2026-01-01T00:00:00.000Z',
  });
}

interface Reads {
  pages: number;
}

/** A store with a chain that has one record of each of many accounts. The row of `edited` says more. */
function storeOf(edited: number, reads: Reads, signal?: AbortSignal): Query {
  const rowOf = (at: number) => ({
    submitter,
    producer_id: producerOf(at),
    tenant_id: 'acme',
    service: null,
    settled_to: at === edited ? '1' : '0',
    highest_seen: '1001',
    final_seq: null,
    is_ephemeral: false,
    on_record: true,
    ranges: JSON.stringify(at === edited ? ranges.slice(1) : ranges),
  });
  return async (sql, parameters) => {
    signal?.throwIfAborted();
    if (sql.includes('count(*) from audit_producers')) return [{ accounts: '1', ranges: '0' }];
    if (sql.includes('pg_attribute')) return [{ has: true }];
    if (sql.includes('left join audit_producers')) {
      const [bits, value] = parameters.slice(2) as [number, number];
      const ends = JSON.stringify({ acme: [1, accounts - 1] });
      return Array.from({ length: accounts }, (_, at) => at)
        .filter((at) => isInSlice(`${submitter}\n${producerOf(at)}`, { bits, value }))
        .map((at) => ({ ...rowOf(at), ends }));
    }
    if (sql.includes('right(r.record')) {
      reads.pages++;
      const first = Number(parameters[2]) + 1;
      return Array.from({ length: Math.min(500, accounts - first) }, (_, at) => ({
        epoch: '1',
        sequence_number: String(first + at),
        source_service: 'tallystick',
        record: recordOf(first + at),
      }));
    }
    return [];
  };
}

// All accounts of a tenant were kept in memory, with those that were deleted long ago.
test('records of more accounts than memory may hold are read several times, and each account is compared once', async () => {
  const reads = { pages: 0 };
  const findings: Finding[] = [];
  const of = { tenantId: 'acme', serviceTenant: 'tallystick' };
  await checkAccounts(storeOf(412, reads), of, { add: (finding) => void findings.push(finding) });
  expect(findings.map(({ found }) => found)).toEqual([
    `${producerOf(412)} of key:1 for acme: the number 1 settled without a record`,
    `${producerOf(412)} of key:1 for acme: the number 3 not settled in spite of the records`,
  ]);
  expect(reads.pages).toBe(2 * 2);
});

test('a check whose client has gone stops at the next page', async () => {
  const reads = { pages: 0 };
  const client = new AbortController();
  const query = storeOf(-1, reads, client.signal);
  const of = { tenantId: 'acme', serviceTenant: 'tallystick' };
  const checked = checkAccounts(
    async (sql, parameters) => {
      const rows = await query(sql, parameters);
      if (reads.pages === 1) client.abort(new Error('gone'));
      return rows;
    },
    of,
    { add: () => {} },
  );
  await expect(checked).rejects.toThrow('gone');
  expect(reads.pages).toBe(1);
});
