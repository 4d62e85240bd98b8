import { uuidv7 } from '@tallystick/event';
import type { Approval } from '@tallystick/protocol';
import { until } from '@tallystick/testing';
import { checkApprovals, type Query } from '@tallystick/verify';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeskCaller } from '../../src/approvals/approval-changes.ts';
import { storeClock } from '../../src/approvals/approval-rows.ts';
import { ApprovalDesk } from '../../src/approvals/desk.ts';
import { writer } from '../../src/store/database.ts';
import { newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';
import { deskParts, findingsOf, refundOf } from './desk-parts.ts';

/**
 * The desk used whatever its table said. Somebody with the service's login to the database could set an approval to granted, and no
 * verification noticed.
 */
const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const maria: DeskCaller = { principal: 'key:maria', subject: 'maria' };
const eve: DeskCaller = { principal: 'key:eve', subject: 'eve' };

interface SavedRow {
  readonly [column: string]: unknown;
  readonly tenant_id: string;
  readonly id: string;
  readonly approval: string;
}

onEachStore((store) => {
  let tenant: string;
  let mismatches = 0;
  const desk = () => {
    const parts = deskParts(store().database, 'tallystick', () => void mismatches++);
    return { ...parts, desk: new ApprovalDesk(parts) };
  };

  const request = async (rules: Parameters<ApprovalDesk['request']>[0]['rules'] = {}) => {
    const { desk: opened, appendRanges } = desk();
    const { document, intent } = refundOf(tenant);
    await appendRanges([{ items: [intent] }]);
    return await opened.request({ id: uuidv7(), intent_id: intent.event.audit_id, document, rules }, agent);
  };
  const passed = async (deadline: string | undefined) => {
    const { database } = store();
    await until(async () => (await storeClock(database)) >= Date.parse(deadline!));
  };
  const decide = (approval: Approval, verdict: 'grant' | 'deny' = 'grant', caller = maria) =>
    desk().desk.decide(
      tenant,
      approval.id,
      { verdict, document_digest: approval.document_digest, comment: 'as agreed' },
      caller,
    );
  const claim = ({ id, document_digest }: Approval) =>
    desk().desk.claim({ tenant_id: tenant, approval_id: id, attempt: uuidv7(), document_digest }, agent);

  /** An approval in each state, made by honest means. */
  const made: Record<string, () => Promise<Approval>> = {
    pending: () => request({ approvals: 2 }),
    'pending with one of two grants': async () => await decide(await request({ approvals: 2 })),
    reminded: async () => {
      const { id, remind_at } = await request({ remind_after_ms: 1 });
      await passed(remind_at);
      return await desk().desk.get(tenant, id);
    },
    granted: async () => await decide(await request()),
    claimed: async () => await claim(await decide(await request())),
    denied: async () => await decide(await request(), 'deny'),
    timed_out: async () => {
      const { id, decide_before } = await request({ timeout_ms: 1 });
      await passed(decide_before);
      return await desk().desk.get(tenant, id);
    },
    'escalated and timed out': async () => {
      const { id, decide_before } = await request({ timeout_ms: 1, escalate_to: ['eve'] });
      await passed(new Date(Date.parse(decide_before) + 1).toISOString());
      return await desk().desk.get(tenant, id);
    },
    withdrawn: async () => {
      const { id } = await request();
      return await desk().desk.withdraw(tenant, id, 'not needed', agent);
    },
    expired: async () => {
      const { id, claim_before } = await decide(await request({ claim_within_ms: 1 }));
      await passed(claim_before);
      return await desk().desk.get(tenant, id);
    },
  };

  const query: Query = (sql, parameters) => store().database.query(writer, sql, parameters);
  const findings = (of = tenant) =>
    findingsOf((sink) => checkApprovals(query, { tenantId: of, epoch: 1 }, sink));

  /** With the login of the service, which may change the table. */
  const tamper = (sql: string, parameters: unknown[] = []) => store().database.query(writer, sql, parameters);
  const saved = async ({ id }: { readonly id: string }): Promise<SavedRow> => {
    const [row] = await store().asOwner<SavedRow>(
      `select tenant_id, id::text as id, state, approval, version::text as version, next_deadline::text as next_deadline,
              created_at::text as created_at
         from audit_approvals where tenant_id = $1 and id = $2`,
      [tenant, id],
    );
    return row!;
  };
  const restore = async (row: SavedRow, at: Pick<SavedRow, 'tenant_id' | 'id'> = row) => {
    await store().asOwner('delete from audit_approvals where tenant_id = $1 and id = $2', [
      at.tenant_id,
      at.id,
    ]);
    await store().asOwner(
      `insert into audit_approvals (tenant_id, id, state, approval, version, next_deadline, created_at)
       values ($1, $2, $3, $4, $5::bigint, $6::timestamptz, $7::timestamptz)`,
      ['tenant_id', 'id', 'state', 'approval', 'version', 'next_deadline', 'created_at'].map(
        (name) => row[name],
      ),
    );
  };
  const edit = (row: SavedRow, change: string, value: unknown) =>
    tamper(`update audit_approvals set ${change} where tenant_id = $1 and id = $2`, [
      row.tenant_id,
      row.id,
      ...(change.includes('$3') ? [value] : []),
    ]);

  beforeAll(() => {
    tenant = newTenant();
  });

  /** Columns beside the JSON, and values that no state has. */
  const columns: readonly (readonly [column: string, change: string])[] = [
    ['state', "state = 'mine'"],
    ['version', 'version = version + 1'],
    ['created_at', "created_at = created_at - interval '1 day'"],
    ['next_deadline', "next_deadline = coalesce(next_deadline, created_at) + interval '1 day'"],
    // `to_char` of an infinite time is null, which looked like the absent deadline of an approval that has ended.
    ['next_deadline', "next_deadline = '-infinity'"],
    ['next_deadline', "next_deadline = 'infinity'"],
  ];
  const members: readonly (readonly [member: string, value: unknown])[] = [
    ['state', 'mine'],
    ['id', '00000000-0000-7000-8000-000000000000'],
    ['intent_id', '00000000-0000-7000-8000-000000000000'],
    ['document', { tenant_id: 'acme', arguments: { amount: 4_000 } }],
    ['document_digest', `sha256:${'0'.repeat(64)}`],
    ['requester', 'mallory'],
    ['rules', { approvals: 0 }],
    ['decisions', [{ subject: 'eve', verdict: 'grant', decided_at: '2026-11-28T12:00:00.000Z' }]],
    ['created_at', '2020-01-01T00:00:00.000Z'],
    ['decide_before', '2999-01-01T00:00:00.000Z'],
    ['remind_at', '2999-01-01T00:00:00.000Z'],
    ['escalated', 'yes'],
    ['claim_before', '2999-01-01T00:00:00.000Z'],
    ['claim', { attempt: 'x', subject: 'eve', claimed_at: '2026-11-28T12:00:00.000Z' }],
    ['more', true],
  ];

  describe.each(Object.keys(made))('%s', (state) => {
    let approval: Approval;
    let row: SavedRow;
    beforeAll(async () => {
      approval = await made[state]!();
      row = await saved(approval);
    });

    test('an honest approval gives no finding, and is what the desk reads', async () => {
      expect(await findings()).toEqual([]);
      expect(await desk().desk.get(tenant, approval.id)).toEqual(approval);
    });

    test('each edited column is a finding that names it, with the place of its record', async () => {
      for (const [column, change] of columns) {
        await edit(row, change, undefined);
        expect(await findings()).toEqual([
          {
            code: 'APPROVAL_MISMATCH',
            sequence_number: expect.any(Number),
            expected: expect.stringMatching(new RegExp(`^${approval.id} ${column}: `)),
            found: expect.any(String),
          },
        ]);
        await restore(row);
      }
    });

    test('each edited member is a finding, and the desk does not use the row', async () => {
      for (const [member, value] of members) {
        await edit(row, 'approval = $3', JSON.stringify({ ...JSON.parse(row.approval), [member]: value }));
        expect((await findings()).map(({ expected }) => expected?.split(':')[0])).toEqual([
          `${approval.id} approval.${member}`,
        ]);
        await expect(desk().desk.get(tenant, approval.id)).rejects.toMatchObject({
          code: 'APPROVAL_MISMATCH',
        });
        await expect(claim(approval)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
        await expect(decide(approval, 'grant', eve)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
        await restore(row);
      }
      await edit(row, 'approval = $3', '{"id":');
      expect(await findings()).toMatchObject([
        { expected: `${approval.id} approval: an approval`, found: 'not JSON' },
      ]);
      await expect(desk().desk.get(tenant, approval.id)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
      await restore(row);
      expect(await findings()).toEqual([]);
    });

    test('a row that was deleted, or moved to another id or tenant, is a finding for each', async () => {
      const missing = { expected: `${approval.id} row: a request`, found: 'no row' };
      await store().asOwner('delete from audit_approvals where id = $1', [approval.id]);
      expect(await findings()).toMatchObject([missing]);
      await restore(row);
      const id = uuidv7();
      await edit(row, 'id = $3', id);
      const inserted = {
        expected: `${id} row: no record`,
        found: 'a row without a record',
        sequence_number: null,
      };
      expect(await findings()).toMatchObject([inserted, missing]);
      await expect(desk().desk.get(tenant, id)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
      await restore(row, { tenant_id: tenant, id });
      const ghost = newTenant();
      await edit(row, 'tenant_id = $3', ghost);
      expect(await findings()).toMatchObject([missing]);
      expect(await findings('tallystick')).toMatchObject([
        { code: 'APPROVAL_MISMATCH', found: `${approval.id}: a row that no chain records` },
      ]);
      await expect(desk().desk.get(ghost, approval.id)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
      await restore(row, { tenant_id: ghost, id: approval.id });
    });
  });

  test('an approval that was set to granted is not claimed; the refusal is recorded, and counted', async () => {
    const approval = await request();
    const row = await saved(approval);
    const granted = { ...approval, state: 'granted', claim_before: '2999-01-01T00:00:00.000Z' };
    await tamper(
      `update audit_approvals set state = 'granted', approval = $3, version = version + 1 where tenant_id = $1 and id = $2`,
      [tenant, approval.id, JSON.stringify(granted)],
    );
    const before = mismatches;
    await expect(claim(approval)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
    expect(mismatches).toBe(before + 1);
    const { trail } = desk();
    const filters = { event_type: 'approval.refused', target_id: approval.id };
    const { events } = await trail.list(
      { tenantId: tenant, filters, order: 'asc', limit: 5 },
      { sensitive: true },
    );
    expect(events).toMatchObject([
      {
        severity: 'critical',
        outcome: { error_code: 'APPROVAL_MISMATCH' },
        metadata: { attempted: 'claim' },
      },
    ]);
    await restore(row);
    expect(await claim(await decide(approval))).toMatchObject({ state: 'claimed' });
  });

  test('an older row that was put back is used for no second claim, and for no second decision', async () => {
    const approval = await request();
    const pending = await saved(approval);
    const granted = await decide(approval);
    const grantedRow = await saved(approval);
    await restore(pending);
    await expect(decide(approval, 'deny', eve)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
    await restore(grantedRow);
    await claim(granted);
    const claimed = await saved(approval);
    await restore(grantedRow);
    await expect(claim(granted)).rejects.toMatchObject({ code: 'APPROVAL_MISMATCH' });
    expect((await findings()).map(({ expected }) => expected?.split(':')[0])).toContain(
      `${approval.id} approval.state`,
    );
    await restore(claimed);
    expect(await findings()).toEqual([]);
  });

  test('a deleted approval can not be opened again under its id', async () => {
    const approval = await decide(await request(), 'deny');
    const row = await saved(approval);
    await store().asOwner('delete from audit_approvals where id = $1', [approval.id]);
    const { intent_id, id, document } = approval;
    await expect(desk().desk.request({ id, intent_id, document }, agent)).rejects.toMatchObject({
      code: 'APPROVAL_MISMATCH',
    });
    await restore(row);
  });

  test('an edited row that is due keeps no other approval waiting', async () => {
    const { desk: opened } = desk();
    const edited = await request({ timeout_ms: 1 });
    const row = await saved(edited);
    await edit(row, 'approval = $3', row.approval.replace('"pending"', '"granted"'));
    const honest = await request({ timeout_ms: 1 });
    await passed(honest.decide_before);
    await opened.advanceDue(1);
    expect((await saved(honest)).state).toBe('timed_out');
    expect((await saved(edited)).state).toBe('pending');
    await restore(row);
    await opened.advanceDue();
    expect(await findings()).toEqual([]);
  });

  test('rows with an infinite deadline do not stop the others: they once made every page the first', async () => {
    const { desk: opened } = desk();
    const edited = [await request(), await request()];
    const rows = await Promise.all(edited.map(saved));
    for (const row of rows) await edit(row, "next_deadline = '-infinity'", undefined);
    const honest = await request({ timeout_ms: 1 });
    await passed(honest.decide_before);
    await opened.advanceDue(1);
    expect((await saved(honest)).state).toBe('timed_out');
    for (const row of rows) await restore(row);
  });

  test('a row that is not JSON is missing from lists, which show the others', async () => {
    const { desk: opened } = desk();
    const [edited, honest] = [await request(), await request()];
    const row = await saved(edited);
    for (const text of ['nonsense', 'null', '7']) {
      await edit(row, 'approval = $3', text);
      const { approvals } = await opened.list({ tenants: [tenant], limit: 2 });
      expect(approvals).toEqual([honest]);
    }
    await restore(row);
  });

  test('the deadlines count an edited row once, and not in every round', async () => {
    const { desk: opened } = desk();
    const edited = await request({ timeout_ms: 1 });
    const row = await saved(edited);
    await edit(row, 'approval = $3', row.approval.replace('"pending"', '"granted"'));
    await passed(edited.decide_before);
    const before = mismatches;
    await opened.advanceDue();
    await opened.advanceDue();
    expect(mismatches - before).toBe(1);
    await restore(row);
    await opened.advanceDue();
  });

  test('changes that are made while the table is read are no findings', async () => {
    const approval = await request();
    let reads = 0;
    const racing: Query = async (sql, parameters) => {
      const rows = await query(sql, parameters);
      if (sql.includes('from audit_approvals a where a.tenant_id') && reads++ === 0) await decide(approval);
      return rows;
    };
    const found = findingsOf((sink) => checkApprovals(racing, { tenantId: tenant, epoch: 1 }, sink));
    expect(await found).toEqual([]);
  });
});
