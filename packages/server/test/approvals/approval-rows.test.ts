import { uuidv7 } from '@tallystick/event';
import { type Approval, defaultApprovalRules } from '@tallystick/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedApprovals, insertApproval, listApprovals } from '../../src/approvals/approval-rows.ts';
import { writer } from '../../src/store/database.ts';
import { Harness } from '../http/harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http?.[Symbol.asyncDispose]());

function approvalOf(n: number): Approval {
  const time = new Date(Date.UTC(2026, 0, 1) + n).toISOString();
  return {
    id: uuidv7(),
    intent_id: uuidv7(),
    state: 'denied',
    document: {
      tenant_id: 'acme',
      action: 'refund',
      actor: { actor_type: 'agent', actor_id: 'bot' },
      arguments: { text: 'x'.repeat(60_000) },
      policy: { name: 'p', version: '1' },
    },
    document_digest: `sha256:${'0'.repeat(64)}`,
    requester: 'service:refunds',
    rules: defaultApprovalRules,
    decisions: [],
    created_at: time,
    decide_before: time,
  };
}

// A list of 200 approvals of 60 KB each is 12 MB of text. Ten such requests at once ended the process under the container's heap limit.
test('a page of approvals is bounded in bytes, and the pages together have all of them', async () => {
  const { database } = http.service;
  const stored = Array.from({ length: 40 }, (_, n) => approvalOf(n));
  await database.transaction(writer, async (session) => {
    for (const approval of stored) await insertApproval(session, approval);
  });
  const listed: string[] = [];
  let after: { createdAt: string; id: string } | undefined;
  for (;;) {
    const { approvals, more } = await listApprovals(database, { tenants: ['acme'], limit: 200, after });
    expect(approvals.length).toBeGreaterThan(0);
    expect(JSON.stringify(approvals).length).toBeLessThan(1_200_000);
    listed.push(...approvals.map(({ id }) => id));
    if (!more) break;
    const last = approvals.at(-1)!;
    after = { createdAt: last.created_at, id: last.id };
  }
  expect(listed).toEqual(stored.map(({ id }) => id).reverse());
});

test('a page that is full by number says whether there are more', async () => {
  const { database } = http.service;
  const all = { tenants: ['acme'], state: 'denied' } as const;
  expect((await listApprovals(database, { ...all, limit: 39, after: undefined })).more).toBe(true);
  const first = await http.get('/v1/approvals?tenant_id=acme&limit=10');
  expect(first.json.approvals).toHaveLength(10);
  const rest = await http.get(`/v1/approvals?tenant_id=acme&limit=10&cursor=${first.json.next_cursor}`);
  expect(rest.json.approvals).toHaveLength(10);
});

test('ids that no approval can have are named as changed, and the others are answered', async () => {
  const { database } = http.service;
  const approval: Approval = {
    ...approvalOf(100),
    state: 'pending',
    decide_before: new Date(Date.now() + 3_600_000).toISOString(),
  };
  await database.transaction(writer, async (session) => await insertApproval(session, approval));
  const unknown = uuidv7();
  const asked = [approval.id, unknown, 'no id', '', approval.id.toUpperCase()];
  const waits = asked.map((id) => ({ tenantId: 'acme', id }));
  const changed = await changedApprovals(database, waits);
  expect(changed.toSorted()).toEqual(asked.slice(1).toSorted());
});
