import { uuidv7 } from '@tallystick/event';
import { type ApprovalRules, defaultApprovalRules } from '@tallystick/protocol';
import { checkApprovalRules, type Query } from '@tallystick/verify';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DeskCaller } from '../../src/approvals/approval-changes.ts';
import { ApprovalDesk } from '../../src/approvals/desk.ts';
import { changeRules } from '../../src/approvals/minimum-rules.ts';
import { adoptDeskRows } from '../../src/chain/books/adopt-desk-rows.ts';
import { serviceEvent } from '../../src/chain/service-records/service-event.ts';
import { type Database, writer } from '../../src/store/database.ts';
import { newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';
import { deskParts, findingsOf, refundOf } from './desk-parts.ts';

/**
 * The desk used whatever its table of minimum rules said. Somebody with the service's login to the database could loosen a rule, and no
 * verification noticed.
 */
const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const strict: ApprovalRules = { ...defaultApprovalRules, approvals: 2 };
const loose: ApprovalRules = { ...defaultApprovalRules, break_glass: 'allowed' };

onEachStore((store) => {
  let tenant: string;
  /** A service tenant of its own for each test: the rules for all tenants are in its chain. */
  let serviceTenant: string;
  let mismatches: number;

  beforeEach(async () => {
    tenant = newTenant();
    serviceTenant = newTenant();
    mismatches = 0;
    await store().asOwner('delete from audit_approval_rules');
  });

  const replica = (database: Database = store().database) => {
    const parts = deskParts(database, serviceTenant, () => void mismatches++);
    return { ...parts, desk: new ApprovalDesk(parts) };
  };
  const set = (rules: ApprovalRules | undefined, over: { tenantId?: string; action?: string } = {}) =>
    changeRules(replica(), { tenantId: tenant, action: 'refund', ...over, rules }, 'key:admin');
  const request = async () => {
    const { desk, appendRanges } = replica();
    const { document, intent } = refundOf(tenant);
    await appendRanges([{ items: [intent] }]);
    return await desk.request({ id: uuidv7(), intent_id: intent.event.audit_id, document }, agent);
  };

  const query: Query = (sql, parameters) => store().database.query(writer, sql, parameters);
  const findings = (of = tenant) =>
    findingsOf((sink) => checkApprovalRules(query, { tenantId: of, epoch: 1, serviceTenant }, sink));
  const code = 'APPROVAL_RULES_MISMATCH';
  /** With the login of the service, which may change the table. */
  const tamper = (sql: string, parameters: unknown[] = []) => store().database.query(writer, sql, parameters);
  const insert = (tenantId: string, action: string, rules = JSON.stringify(loose)) =>
    tamper(
      `insert into audit_approval_rules (tenant_id, action, rules, updated_by) values ($1, $2, $3, 'key:admin')`,
      [tenantId, action, rules],
    );

  test('rules that were set, replaced and removed are what their records say', async () => {
    await set(strict);
    await set(loose);
    await set(strict, { tenantId: '*', action: '*' });
    await set(strict, { action: 'pay' });
    await set(undefined, { action: 'pay' });
    await set(strict, { action: 'pay' });
    expect(await request()).toMatchObject({ rules: { break_glass: 'allowed', approvals: 1 } });
    expect([await findings(), await findings(serviceTenant), mismatches]).toEqual([[], [], 0]);
  });

  test.each([
    ['loosened', 'update audit_approval_rules set rules = $2 where tenant_id = $1', 'sha256:'],
    [
      'made not JSON',
      `update audit_approval_rules set rules = '{' || $2 where tenant_id = $1`,
      'not canonical',
    ],
    ['deleted', 'delete from audit_approval_rules where tenant_id = $1 and $2::text is not null', 'no row'],
  ])('a rule that was %s is a finding, and the desk refuses requests', async (_, sql, found) => {
    await set(strict);
    await tamper(sql, [tenant, JSON.stringify(loose)]);
    await expect(request()).rejects.toMatchObject({ code });
    expect(mismatches).toBe(1);
    expect(await findings()).toMatchObject([
      {
        code,
        sequence_number: 1,
        expected: expect.stringContaining(`${tenant} refund rules: sha256:`),
        found: expect.stringContaining(found),
      },
    ]);
    // The operator repairs it.
    await set(strict);
    expect(await request()).toMatchObject({ rules: { approvals: 2 } });
    expect(await findings()).toEqual([]);
  });

  test.each([
    ['updated_by', `'key:other'`],
    ['updated_at', `updated_at + interval '1 microsecond'`],
    ['updated_at', `'infinity'`],
  ])('an edited %s (%s) is a finding', async (column, value) => {
    await set(strict);
    await tamper(`update audit_approval_rules set ${column} = ${value} where tenant_id = $1`, [tenant]);
    expect(await findings()).toMatchObject([
      { code, expected: expect.stringContaining(`refund ${column}: `) },
    ]);
  });

  test('an older rule that was put back is a finding, and the desk does not use it', async () => {
    await set(loose);
    await set(strict);
    await tamper('update audit_approval_rules set rules = $2 where tenant_id = $1', [
      tenant,
      JSON.stringify(loose),
    ]);
    await expect(request()).rejects.toMatchObject({ code });
    expect(await findings()).toMatchObject([{ code, sequence_number: 2 }]);
  });

  test('a rule that was inserted, also for all tenants or for a tenant without a chain, is a finding', async () => {
    await set(strict, { action: 'pay' });
    await set(strict, { tenantId: '*', action: 'pay' });
    const chainless = newTenant();
    await insert(tenant, 'refund');
    await insert('*', '*');
    await insert(chainless, '*');
    await expect(request()).rejects.toMatchObject({ code });
    expect(await findings()).toMatchObject([{ code, found: 'a row without a record' }]);
    expect(await findings(serviceTenant)).toMatchObject([
      { code, expected: '* * rules: none', found: 'a row without a record' },
      { code, found: `${chainless} *: a row that no chain records` },
    ]);
  });

  test('a forged record of a change helps neither now nor after the next change', async () => {
    await set(strict);
    const { appendRanges } = replica();
    // The login of the service can append records like the service itself, but it does not know the id.
    const forged = serviceEvent({
      audit_id: uuidv7(),
      tenant_id: tenant,
      timestamp: new Date().toISOString(),
      event_type: 'audit.approval_rules_changed',
      actor_type: 'service',
      actor_id: 'key:admin',
      target_type: 'approval_rules',
      target_id: `${tenant} refund`,
      context: { rules: loose },
      metadata: { version: 2 },
    });
    await appendRanges([{ items: [forged] }]);
    await tamper(
      'update audit_approval_rules set rules = $2, updated_at = $3::timestamptz where tenant_id = $1',
      [tenant, JSON.stringify(loose), forged.event.timestamp],
    );
    await expect(request()).rejects.toMatchObject({ code });
    await set(strict);
    expect(await request()).toMatchObject({ rules: { approvals: 2 } });
    expect(await findings()).toMatchObject([
      { code, sequence_number: 4, expected: `${tenant} refund version: above 2`, found: '2' },
    ]);
  });

  test('replicas that change one rule at once leave the row of the last record', async () => {
    const others = [store().database, store().connect(), store().connect()];
    await Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        changeRules(
          replica(others[index % others.length]),
          { tenantId: tenant, action: 'refund', rules: { ...strict, approvals: index + 1 } },
          `key:${index}`,
        ),
      ),
    );
    expect(await findings()).toEqual([]);
    await request();
    const [row] = await query(
      `select count(*)::integer as records from audit_records
        where tenant_id = $1 and event_type = 'audit.approval_rules_changed'`,
      [tenant],
    );
    expect(row).toEqual({ records: 9 });
  });

  test('a crash before the commit leaves neither the record nor the row', async () => {
    const { appendRanges, ...parts } = replica();
    const crashing: typeof appendRanges = (batches) =>
      appendRanges(batches, {
        onStage: (stage) => {
          if (stage === 'committing') throw new Error('killed');
        },
      });
    const change = { tenantId: tenant, action: 'refund', rules: strict };
    await expect(changeRules({ ...parts, appendRanges: crashing }, change, 'key:admin')).rejects.toThrow(
      'killed',
    );
    expect(await request()).toMatchObject({ rules: { approvals: 1 } });
    await changeRules({ ...parts, appendRanges }, change, 'key:admin');
    expect([await request(), await findings()]).toMatchObject([{ rules: { approvals: 2 } }, []]);
  });

  describe('of an earlier version', () => {
    /** As the service wrote it before changes had numbers. */
    const setEarlier = async (rules: ApprovalRules, row = rules) => {
      await replica().appendRanges([
        {
          items: [
            serviceEvent({
              audit_id: uuidv7(),
              tenant_id: tenant,
              timestamp: new Date().toISOString(),
              event_type: 'audit.approval_rules_changed',
              actor_type: 'service',
              actor_id: 'key:admin',
              target_type: 'approval_rules',
              target_id: `${tenant} refund`,
              context: { rules },
            }),
          ],
        },
      ]);
      await store().asOwner(
        `insert into audit_approval_rules (tenant_id, action, rules, updated_by, of_earlier_version)
         values ($1, 'refund', $2, 'key:admin', true)
         on conflict (tenant_id, action) do update set rules = excluded.rules`,
        [tenant, JSON.stringify(row)],
      );
    };

    test('they are compared with their records, and hold once the service has put them on record', async () => {
      await setEarlier(loose);
      await setEarlier(strict);
      expect(await findings()).toEqual([]);
      await Promise.all([adoptDeskRows(replica(), Date.now()), adoptDeskRows(replica(), Date.now())]);
      expect([await request(), await findings()]).toMatchObject([{ rules: { approvals: 2 } }, []]);
      await set(loose);
      await adoptDeskRows(replica(), Date.now());
      expect([await request(), await findings()]).toMatchObject([{ rules: { break_glass: 'allowed' } }, []]);
    });

    test('one that was edited before the update is not put on record, and is a finding', async () => {
      await setEarlier(strict, loose);
      await adoptDeskRows(replica(), Date.now());
      expect(await findings()).toMatchObject([{ code, sequence_number: 1 }]);
      await expect(request()).rejects.toMatchObject({ code });
    });

    test('the login of the service can not mark a row as one', async () => {
      await set(strict);
      const mark = tamper('update audit_approval_rules set of_earlier_version = true where tenant_id = $1', [
        tenant,
      ]);
      await expect(mark).rejects.toThrow(/permission denied/);
    });
  });
});
