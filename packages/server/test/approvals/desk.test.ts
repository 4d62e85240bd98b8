import { type AuditEvent, uuidv7 } from '@tallystick/event';
import {
  type Approval,
  type ApprovalDocument,
  type ApprovalRules,
  defaultApprovalRules,
} from '@tallystick/protocol';
import { until } from '@tallystick/testing';
import { describe, expect, test } from 'vitest';
import type { DeskCaller } from '../../src/approvals/approval-changes.ts';
import { storeClock } from '../../src/approvals/approval-rows.ts';
import { ApprovalDesk } from '../../src/approvals/desk.ts';
import { changeRules, listRules } from '../../src/approvals/minimum-rules.ts';
import { documentDigest } from '../../src/approvals/openings.ts';
import { Operations } from '../../src/approvals/operations.ts';
import { rangeAppender } from '../../src/ingest/append-ranges.ts';
import type { Database, Session } from '../../src/store/database.ts';
import { Trail } from '../../src/trail/trail.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const maria: DeskCaller = { principal: 'key:maria', subject: 'maria' };
const eve: DeskCaller = { principal: 'key:eve', subject: 'eve' };

function openDesk(database: Database) {
  const appendRanges = rangeAppender(
    database,
    { logName, assertRunning: () => undefined, assertCurrent: async () => undefined },
    {},
  );
  const trail = new Trail(database);
  const serviceTenant = 'tallystick';
  const desk = new ApprovalDesk({ database, appendRanges, trail, serviceTenant });
  const operations = new Operations({ database, appendRanges });
  return { database, appendRanges, trail, desk, operations, serviceTenant };
}

onEachStore((store) => {
  const open = () => openDesk(store().database);

  const documentOf = (tenant_id: string, over: Partial<ApprovalDocument> = {}): ApprovalDocument => ({
    tenant_id,
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'refund-bot' },
    arguments: { amount: 40 },
    policy: { name: 'p', version: '1' },
    ...over,
  });

  /** Chains an intent and requests its approval. */
  const request = async (
    tenant = newTenant(),
    {
      rules,
      document = documentOf(tenant),
      intended = {},
    }: {
      rules?: Partial<ApprovalRules>;
      document?: ApprovalDocument;
      intended?: Partial<AuditEvent>;
    } = {},
  ) => {
    const parts = open();
    const intent = anItem(tenant, {
      ...intended,
      event_type: 'agent.action.intended',
      context: { document_digest: documentDigest(document) },
    });
    await parts.appendRanges([{ items: [intent] }]);
    const given = {
      id: uuidv7(),
      intent_id: intent.event.audit_id,
      document,
      ...(rules !== undefined && { rules }),
    };
    const approval = await parts.desk.request(given, agent);
    return { ...parts, tenant, given, approval };
  };

  const grant = (approval: Approval) =>
    ({ verdict: 'grant', document_digest: approval.document_digest }) as const;
  const claimOf = ({ id, document, document_digest }: Approval) => ({
    tenant_id: document.tenant_id,
    approval_id: id,
    attempt: uuidv7(),
    document_digest,
  });
  /** The service's records about approvals in the tenant's chain, oldest first. */
  const records = async (trail: Trail, tenant: string) => {
    const { events } = await trail.list(
      {
        tenantId: tenant,
        filters: { event_type: 'approval.*' },
        order: 'asc',
        limit: 50,
      },
      { sensitive: true },
    );
    return events as unknown as readonly {
      event_type: string;
      ingest: { trust: string };
      [member: string]: unknown;
    }[];
  };
  /** Waits until a deadline, of a few milliseconds, has passed by the clock of the store. */
  const passed = async (deadline: string | undefined) => {
    const { database } = store();
    await until(async () => (await storeClock(database)) >= Date.parse(deadline!));
  };

  test('requested, granted and claimed: each change is a record of the service itself', async () => {
    const { desk, trail, tenant, approval } = await request();
    await desk.decide(tenant, approval.id, { ...grant(approval), comment: 'fine' }, maria);
    expect(await desk.claim(claimOf(approval), agent)).toMatchObject({ state: 'claimed' });
    const chained = await records(trail, tenant);
    expect(chained.map(({ event_type }) => event_type)).toEqual([
      'approval.requested',
      'approval.granted',
      'approval.claimed',
    ]);
    expect(chained.every(({ ingest }) => ingest.trust === 'service')).toBe(true);
    expect(chained[0]).toMatchObject({
      parent_id: approval.intent_id,
      target_id: approval.id,
      context: { document: approval.document, document_digest: approval.document_digest },
    });
    expect(chained[1]).toMatchObject({
      actor_id: 'maria',
      outcome: { approval_received_from: 'maria', approval_comment: 'fine', state_after: 'granted' },
      metadata: { principal: 'key:maria' },
    });
  });

  test('every record of an approval belongs to what its intent belongs to', async () => {
    const ids = {
      investigation_id: 'inv-7',
      alert_id: 'alert-7',
      correlation_id: 'c-7',
      trace_id: 'trace-7',
    };
    const { desk, trail, tenant, approval } = await request(newTenant(), { intended: ids });
    const other = { ...grant(approval), document_digest: `sha256:${'0'.repeat(64)}` };
    await expect(desk.decide(tenant, approval.id, other, maria)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    await desk.decide(tenant, approval.id, grant(approval), maria);
    await desk.claim(claimOf(approval), agent);
    const filters = { investigation_id: 'inv-7', event_type: 'approval.*' };
    const { events } = await trail.list(
      { tenantId: tenant, filters, order: 'asc', limit: 50 },
      { sensitive: false },
    );
    expect(events.map(({ event_type }) => event_type)).toEqual([
      'approval.requested',
      'approval.refused',
      'approval.granted',
      'approval.claimed',
    ]);
    for (const event of events) expect(event).toMatchObject(ids);
  });

  test('what a sensitive intent belongs to stays in it', async () => {
    const intended = { investigation_id: 'inv-8', is_sensitive: true };
    const { desk, trail, tenant, approval } = await request(newTenant(), { intended });
    await desk.decide(tenant, approval.id, grant(approval), maria);
    for (const event of await records(trail, tenant)) expect(event).not.toHaveProperty('investigation_id');
  });

  test('a repeated request returns the first approval; the id for another document or requester is refused', async () => {
    const { desk, trail, tenant, given, approval } = await request();
    expect(await desk.request(given, agent)).toEqual(approval);
    await expect(desk.request(given, eve)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    const other = { ...given, document: documentOf(tenant, { arguments: { amount: 4_000 } }) };
    await expect(desk.request(other, agent)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await records(trail, tenant)).toHaveLength(1);
  });

  test('the intent must be in the chain, and about the same document', async () => {
    const { desk, tenant, given } = await request();
    const unknown = { ...given, id: uuidv7(), intent_id: uuidv7() };
    await expect(desk.request(unknown, agent)).rejects.toMatchObject({ code: 'INTENT_UNKNOWN' });
    const other = { ...given, id: uuidv7(), document: documentOf(tenant, { arguments: { amount: 4_000 } }) };
    await expect(desk.request(other, agent)).rejects.toMatchObject({ code: 'INTENT_UNKNOWN' });
    // The tenant next door has no such intent.
    const nextDoor = { ...given, id: uuidv7(), document: documentOf(newTenant()) };
    await expect(desk.request(nextDoor, agent)).rejects.toMatchObject({ code: 'INTENT_UNKNOWN' });
  });

  test('an attempt that is refused is recorded, and changes nothing', async () => {
    const { desk, trail, tenant, approval } = await request();
    await expect(desk.decide(tenant, approval.id, grant(approval), agent)).rejects.toMatchObject({
      code: 'APPROVER_IS_REQUESTER',
    });
    await expect(desk.claim(claimOf(approval), agent)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
    expect(await desk.get(tenant, approval.id)).toEqual(approval);
    expect((await records(trail, tenant)).slice(1)).toMatchObject([
      {
        event_type: 'approval.refused',
        outcome: { error_code: 'APPROVER_IS_REQUESTER' },
        metadata: { attempted: 'decide' },
      },
      {
        event_type: 'approval.refused',
        outcome: { error_code: 'NOT_GRANTED' },
        metadata: { attempted: 'claim' },
      },
    ]);
  });

  test('a login that was revoked meanwhile can not decide, and nothing is stored', async () => {
    const { desk, trail, tenant, approval } = await request();
    const revoked = {
      ...maria,
      assertValid: async (_session: Session) =>
        Promise.reject(Object.assign(new Error('revoked'), { code: 'UNAUTHENTICATED' })),
    };
    await expect(desk.decide(tenant, approval.id, grant(approval), revoked)).rejects.toThrow('revoked');
    expect(await desk.get(tenant, approval.id)).toEqual(approval);
    expect(await records(trail, tenant)).toHaveLength(1);
  });

  test('of twenty claims at once on two replicas, one succeeds', async () => {
    const { desk, trail, tenant, approval } = await request();
    await desk.decide(tenant, approval.id, grant(approval), maria);
    const replica = openDesk(store().connect());
    const claims = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? desk : replica.desk).claim(claimOf(approval), agent),
      ),
    );
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const types = (await records(trail, tenant)).map(({ event_type }) => event_type);
    expect(types.filter((type) => type === 'approval.claimed')).toHaveLength(1);
  });

  test('two persons who decide at once both count', async () => {
    const { desk, tenant, approval } = await request(undefined, { rules: { approvals: 2 } });
    await Promise.all([
      desk.decide(tenant, approval.id, grant(approval), maria),
      desk.decide(tenant, approval.id, grant(approval), eve),
    ]);
    expect(await desk.get(tenant, approval.id)).toMatchObject({ state: 'granted', decisions: [{}, {}] });
  });

  describe('deadlines', () => {
    test('take effect once, though every replica looks', async () => {
      const { desk, trail, tenant, approval } = await request(undefined, { rules: { timeout_ms: 1 } });
      await passed(approval.decide_before);
      await Promise.all([desk.advanceDue(), desk.advanceDue(), desk.get(tenant, approval.id)]);
      expect(await desk.get(tenant, approval.id)).toMatchObject({ state: 'timed_out' });
      const timedOut = (await records(trail, tenant)).filter(
        ({ event_type }) => event_type === 'approval.timed_out',
      );
      expect(timedOut).toHaveLength(1);
      await expect(desk.decide(tenant, approval.id, grant(approval), maria)).rejects.toMatchObject({
        code: 'NOT_PENDING',
      });
    });

    test('a grant that is not used expires', async () => {
      const { desk, tenant, approval } = await request(undefined, { rules: { claim_within_ms: 1 } });
      await passed((await desk.decide(tenant, approval.id, grant(approval), maria)).claim_before);
      await expect(desk.claim(claimOf(approval), agent)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
      expect(await desk.get(tenant, approval.id)).toMatchObject({ state: 'expired' });
    });

    test('a reminder is recorded once', async () => {
      const requested = await request(undefined, { rules: { remind_after_ms: 1 } });
      await passed(requested.approval.remind_at);
      await requested.desk.advanceDue();
      await requested.desk.advanceDue();
      const types = (await records(requested.trail, requested.tenant)).map(({ event_type }) => event_type);
      expect(types).toEqual(['approval.requested', 'approval.reminded']);
    });
  });

  test('hidden arguments are opened at the claim, and another value is refused', async () => {
    const tenant = newTenant();
    const { sealedCommitment } = await import('@tallystick/log');
    const salt = Buffer.alloc(32, 7);
    const hidden = { '/card': sealedCommitment('/card', { salt, value: '4111' }) };
    const { desk, approval } = await request(tenant, { document: documentOf(tenant, { hidden }) });
    await desk.decide(tenant, approval.id, grant(approval), maria);
    const claim = claimOf(approval);
    const openings = (value: string) => ({ '/card': { salt: salt.toString('hex'), value } });
    for (const wrong of [
      {},
      { openings: openings('4112') },
      { openings: { '/other': openings('4111')['/card'] } },
    ]) {
      await expect(desk.claim({ ...claim, ...wrong }, agent)).rejects.toMatchObject({
        code: 'OPENING_INVALID',
      });
    }
    expect(await desk.claim({ ...claim, openings: openings('4111') }, agent)).toMatchObject({
      state: 'claimed',
    });
  });

  describe('minimum rules', () => {
    const strict = { ...defaultApprovalRules, approvals: 2, approvers: ['maria', 'eve'] };

    test('of the tenant and action come first, and a request can only tighten them', async () => {
      const tenant = newTenant();
      const parts = open();
      await changeRules(
        parts,
        { tenantId: '*', action: 'refund', rules: { ...defaultApprovalRules, approvals: 3 } },
        'key:admin',
      );
      expect((await request()).approval.rules.approvals).toBe(3);
      await changeRules(parts, { tenantId: tenant, action: '*', rules: strict }, 'key:admin');
      const { approval } = await request(tenant, {
        rules: { approvals: 1, approvers: ['maria', 'mallory'] },
      });
      expect(approval.rules).toMatchObject({ approvals: 2, approvers: ['maria'] });
      await expect(request(tenant, { rules: { approvers: ['mallory'] } })).rejects.toMatchObject({
        code: 'RULES_UNSATISFIABLE',
      });
      await changeRules(parts, { tenantId: '*', action: 'refund', rules: undefined }, 'key:admin');
      expect((await request()).approval.rules).toEqual(defaultApprovalRules);
    });

    test('each change is chained, for all tenants in the chain of the service', async () => {
      const tenant = newTenant();
      const parts = open();
      await changeRules(parts, { tenantId: tenant, action: 'pay', rules: strict }, 'key:admin');
      expect(await listRules(parts.database, [tenant])).toContainEqual({
        tenant_id: tenant,
        action: 'pay',
        rules: strict,
      });
      const { events } = await parts.trail.list(
        {
          tenantId: tenant,
          filters: { event_type: 'audit.*' },
          order: 'asc',
          limit: 5,
        },
        { sensitive: true },
      );
      expect(events).toMatchObject([
        { event_type: 'audit.approval_rules_changed', context: { rules: strict } },
      ]);
    });
  });

  describe('operations', () => {
    const attempt = () => ({
      tenant_id: newTenant(),
      idempotency_key: 'refund-1',
      document_digest: `sha256:${'a'.repeat(64)}`,
      intent_id: uuidv7(),
    });

    test('begin once, whoever asks at once', async () => {
      const { operations } = open();
      const first = attempt();
      const states = await Promise.all(
        Array.from({ length: 20 }, () => operations.begin({ ...first, intent_id: uuidv7() }, 'key:a')),
      );
      expect(states.filter(({ status }) => status === 'begun')).toHaveLength(1);
    });

    test('the first outcome stays, and only who began the operation can report it', async () => {
      const { operations } = open();
      const first = attempt();
      await operations.begin(first, 'key:a');
      const outcome = { status: 'success', completed_at: '2026-11-28T12:00:00.000Z' } as const;
      await operations.finish(first, outcome, 'key:b');
      expect(await operations.begin(first, 'key:b')).toEqual({
        status: 'known',
        intent_id: first.intent_id,
      });
      await operations.finish(first, outcome, 'key:a');
      await operations.finish(first, { ...outcome, status: 'failure' }, 'key:a');
      expect(await operations.begin(first, 'key:b')).toEqual({
        status: 'known',
        intent_id: first.intent_id,
        outcome,
      });
    });

    test('a key for another document is refused', async () => {
      const { operations } = open();
      const first = attempt();
      await operations.begin(first, 'key:a');
      const other = { ...first, document_digest: `sha256:${'b'.repeat(64)}` };
      await expect(operations.begin(other, 'key:a')).rejects.toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
      });
    });
  });
});
