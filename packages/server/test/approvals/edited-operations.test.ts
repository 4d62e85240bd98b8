import { uuidv7 } from '@tallystick/event';
import { checkOperations, type Query } from '@tallystick/verify';
import { beforeEach, describe, expect, test } from 'vitest';
import { Operations } from '../../src/approvals/operations.ts';
import { adoptDeskRows } from '../../src/chain/books/adopt-desk-rows.ts';
import { serviceEvent } from '../../src/chain/service-records/service-event.ts';
import { type Database, writer } from '../../src/store/database.ts';
import { anItem, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';
import { deskParts, findingsOf } from './desk-parts.ts';

/**
 * The table of operations had no records. Somebody with the service's login to the database could fake an operation or its outcome, or
 * make an action run a second time, and no verification noticed.
 */
const code = 'OPERATION_MISMATCH';
const principal = 'service:refunds';
const outcome = {
  status: 'success',
  result: { refunded: 40 },
  completed_at: '2026-11-29T06:00:00.000Z',
} as const;

onEachStore((store) => {
  let tenant: string;
  let serviceTenant: string;
  let mismatches: number;

  beforeEach(async () => {
    tenant = newTenant();
    serviceTenant = newTenant();
    mismatches = 0;
    await store().asOwner('delete from audit_operations');
  });

  const replica = (database: Database = store().database) => {
    const parts = deskParts(database, serviceTenant, () => void mismatches++);
    return { ...parts, operations: new Operations(parts) };
  };
  const attempt = (over = {}) => ({
    tenant_id: tenant,
    idempotency_key: 'refund-1',
    document_digest: `sha256:${'a'.repeat(64)}`,
    intent_id: uuidv7(),
    ...over,
  });
  const begin = (of = attempt()) => replica().operations.begin(of, principal);
  const finish = (of: ReturnType<typeof attempt>) => replica().operations.finish(of, outcome, principal);

  const query: Query = (sql, parameters) => store().database.query(writer, sql, parameters);
  const findings = (of = tenant) =>
    findingsOf((sink) => checkOperations(query, { tenantId: of, epoch: 1, serviceTenant }, sink));
  /** With the login of the service, which may change the outcomes. */
  const tamper = (sql: string, parameters: unknown[] = []) => store().database.query(writer, sql, parameters);
  /** With the login of the owner. */
  const edit = (change: string) =>
    store().asOwner(`update audit_operations set ${change} where tenant_id = $1`, [tenant]);

  test('an operation that began and ended is what its records say, which do not have the result', async () => {
    const first = attempt();
    expect(await begin(first)).toEqual({ status: 'begun' });
    expect(await findings()).toEqual([]);
    await finish(first);
    expect(await begin()).toEqual({ status: 'known', intent_id: first.intent_id, outcome });
    expect([await findings(), mismatches]).toEqual([[], 0]);
    const records = await query(
      'select record from audit_records where tenant_id = $1 order by sequence_number',
      [tenant],
    );
    const events = records
      .slice(1)
      .map(({ record }) => (JSON.parse(String(record)) as { event: object }).event);
    expect(events).toMatchObject([
      { event_type: 'audit.operation_begun', idempotency_key: 'refund-1', parent_id: first.intent_id },
      {
        event_type: 'audit.operation_finished',
        idempotency_key: 'refund-1',
        outcome: { outcome_status: 'success' },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain('refunded');
  });

  test.each([
    ['document_digest', `'sha256:other'`],
    ['intent_id', `'019ca97b-f880-7000-8000-000000000002'`],
    ['begun_by', `'key:other'`],
    ['outcome', `'{"status":"success"}'`],
    ['outcome', 'null'],
    ['outcome_salt', `'00'`],
  ])('an edited %s (%s) is a finding, and the operation is not answered', async (column, value) => {
    const first = attempt();
    await begin(first);
    await finish(first);
    await edit(`${column} = ${value}`);
    await expect(begin()).rejects.toMatchObject({ code });
    await expect(finish(first)).rejects.toMatchObject({ code });
    expect(mismatches).toBe(2);
    const name = column.replace('_salt', '');
    expect(await findings()).toMatchObject([
      { code, expected: expect.stringContaining(`refund-1 ${name}: `) },
    ]);
  });

  test.each([`begun_at + interval '1 microsecond'`, `'-infinity'`])(
    'an edited time (%s) is a finding',
    async (value) => {
      await begin();
      await edit(`begun_at = ${value}`);
      expect(await findings()).toMatchObject([
        { code, sequence_number: 1, expected: expect.stringContaining('refund-1 begun_at: ') },
      ]);
    },
  );

  test('an outcome that was faked is a finding, and no retry gets it', async () => {
    await begin();
    await tamper('update audit_operations set outcome = $2 where tenant_id = $1', [
      tenant,
      JSON.stringify(outcome),
    ]);
    await expect(begin()).rejects.toMatchObject({ code });
    expect(await findings()).toMatchObject([
      {
        code,
        sequence_number: 1,
        expected: 'refund-1 outcome: absent',
        found: expect.stringContaining('sha256:'),
      },
    ]);
  });

  test('an operation whose row was deleted does not begin again, and is a finding', async () => {
    await begin();
    await store().asOwner('delete from audit_operations where tenant_id = $1', [tenant]);
    await expect(begin()).rejects.toMatchObject({ code });
    expect(await findings()).toMatchObject([{ code, sequence_number: 1, found: 'no row' }]);
  });

  test('an operation that was inserted is a finding, also for a tenant without a chain', async () => {
    await begin(attempt({ idempotency_key: 'other' }));
    const chainless = newTenant();
    for (const of of [tenant, chainless]) {
      await tamper(
        `insert into audit_operations (tenant_id, idempotency_key, document_digest, intent_id, begun_by)
         values ($1, 'refund-1', $2, $3::uuid, $4)`,
        [of, attempt().document_digest, uuidv7(), principal],
      );
    }
    await expect(begin()).rejects.toMatchObject({ code });
    expect(await findings()).toMatchObject([{ code, found: 'a row without a record' }]);
    expect(await findings(serviceTenant)).toMatchObject([
      { code, expected: `${chainless} refund-1: no record`, found: 'a row that no chain records' },
    ]);
  });

  test('a second record of a begin is a finding, and the first one counts', async () => {
    await begin();
    const forged = serviceEvent({
      audit_id: uuidv7(),
      tenant_id: tenant,
      timestamp: new Date().toISOString(),
      event_type: 'audit.operation_begun',
      target_type: 'operation',
      target_id: 'refund-1',
      metadata: { begun_by: 'key:other' },
    });
    await replica().appendRanges([{ items: [forged] }]);
    expect(await findings()).toMatchObject([{ code, sequence_number: 2, found: 'a second begin' }]);
    // A client's event of the same type is nothing.
    await replica().appendRanges([{ items: [anItem(tenant, { ...forged.event, audit_id: uuidv7() })] }]);
    expect(await findings()).toHaveLength(1);
  });

  test('of many attempts on several replicas one begins, and all ends of it are one record', async () => {
    const databases = [store().database, store().connect(), store().connect()];
    const attempts = Array.from({ length: 12 }, () => attempt());
    const on = (index: number) => replica(databases[index % databases.length]).operations;
    const states = await Promise.all(attempts.map((each, index) => on(index).begin(each, principal)));
    const winner = attempts[states.findIndex(({ status }) => status === 'begun')]!;
    expect(states.filter(({ status }) => status === 'begun')).toHaveLength(1);
    await Promise.all(attempts.map((_, index) => on(index).finish(winner, outcome, principal)));
    expect(await begin()).toEqual({ status: 'known', intent_id: winner.intent_id, outcome });
    expect([await findings(), mismatches]).toEqual([[], 0]);
    const [row] = await query('select count(*)::integer as records from audit_records where tenant_id = $1', [
      tenant,
    ]);
    expect(row).toEqual({ records: 3 });
  });

  test('a crash before the commit leaves neither the record nor the row', async () => {
    const { appendRanges, ...parts } = replica();
    const crashing: typeof appendRanges = (batches) =>
      appendRanges(batches, {
        onStage: (stage) => {
          if (stage === 'committing') throw new Error('killed');
        },
      });
    const killed = new Operations({ ...parts, appendRanges: crashing });
    const first = attempt();
    await expect(killed.begin(first, principal)).rejects.toThrow('killed');
    expect(await begin(first)).toEqual({ status: 'begun' });
    await expect(killed.finish(first, outcome, principal)).rejects.toThrow('killed');
    expect(await begin()).toEqual({ status: 'known', intent_id: first.intent_id });
    await finish(first);
    expect(await begin()).toMatchObject({ outcome });
    expect(await findings()).toEqual([]);
  });

  describe('of an earlier version', () => {
    const insertEarlier = (key: string, ended: string | null) =>
      store().asOwner(
        `insert into audit_operations
           (tenant_id, idempotency_key, document_digest, intent_id, begun_by, begun_at, outcome, of_earlier_version)
         values ($1, $2, $3, $4::uuid, $5, '2026-11-28T12:00:00.123456Z', $6, true)`,
        [tenant, key, attempt().document_digest, uuidv7(), principal, ended],
      );
    const opened = () =>
      replica().appendRanges([
        {
          items: [
            serviceEvent({
              audit_id: uuidv7(),
              tenant_id: serviceTenant,
              timestamp: new Date().toISOString(),
              event_type: 'audit.books_opened',
              metadata: { desk_complete: true },
            }),
          ],
        },
      ]);
    const notOnRecord = async () =>
      (await checkOperations(query, { tenantId: tenant, epoch: 1, serviceTenant }, { add: () => undefined }))
        .operationsNotOnRecord;

    test('they are counted until the service has put them on record, and then compared', async () => {
      await insertEarlier('refund-1', JSON.stringify(outcome));
      await insertEarlier('refund-2', null);
      expect([await findings(), await notOnRecord()]).toEqual([[], 2]);
      await Promise.all([adoptDeskRows(replica(), Date.now()), adoptDeskRows(replica(), Date.now())]);
      await opened();
      expect([await findings(), await notOnRecord()]).toEqual([[], 0]);
      expect(await begin()).toMatchObject({ status: 'known', outcome });
      const known = await begin(attempt({ idempotency_key: 'refund-2' }));
      expect(known).toMatchObject({ status: 'known' });
      await finish(
        attempt({
          idempotency_key: 'refund-2',
          ...(known.status === 'known' && { intent_id: known.intent_id }),
        }),
      );
      expect(await begin(attempt({ idempotency_key: 'refund-2' }))).toMatchObject({ outcome });
      expect(await findings()).toEqual([]);
      await edit('outcome_salt = null');
      expect(await findings()).toHaveLength(2);
    });

    test('one that appears after that is a finding', async () => {
      await begin(attempt({ idempotency_key: 'other' }));
      await opened();
      await insertEarlier('refund-1', null);
      expect([await findings(), await notOnRecord()]).toMatchObject([
        [{ code, found: 'a row without a record' }],
        0,
      ]);
      await expect(begin()).rejects.toMatchObject({ code });
    });

    test('the login of the service can not insert one', async () => {
      const insert = tamper(
        `insert into audit_operations (tenant_id, idempotency_key, document_digest, intent_id, begun_by, of_earlier_version)
         values ($1, 'refund-1', 'x', $2::uuid, 'key:a', true)`,
        [tenant, uuidv7()],
      );
      await expect(insert).rejects.toThrow(/permission denied/);
    });
  });
});
