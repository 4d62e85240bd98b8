import { uuidv7 } from '@tallystick/event';
import type { Approval } from '@tallystick/protocol';
import { type Postgres, ShiftedClock, startPostgres, type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import type { DeskCaller } from '../../src/approvals/approval-changes.ts';
import { ApprovalDesk } from '../../src/approvals/desk.ts';
import { documentDigest } from '../../src/approvals/openings.ts';
import { rangeAppender } from '../../src/ingest/append-ranges.ts';
import { migratePostgres } from '../../src/store/migrate.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { Trail } from '../../src/trail/trail.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { createLogin } from '../stores.ts';

/** The clock of a real database server jumps while two replicas of the desk work with it. Their own clocks do not. */
const hour = 60 * 60 * 1_000;
const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const maria: DeskCaller = { principal: 'key:maria', subject: 'maria' };

let dir: TempDir;
let clock: ShiftedClock | undefined;
let postgres: Postgres | undefined;
let databases: readonly PostgresDatabase[] = [];
let desks: readonly ReturnType<typeof openDesk>[] = [];

function openDesk(database: PostgresDatabase) {
  const options = { logName, assertRunning: () => undefined, assertCurrent: async () => undefined };
  const appendRanges = rangeAppender(database, options, {});
  const trail = new Trail(database);
  return {
    appendRanges,
    trail,
    desk: new ApprovalDesk({ database, appendRanges, trail, serviceTenant: 'tallystick' }),
  };
}

beforeAll(async () => {
  dir = tempDir();
  clock = ShiftedClock.create(dir.path);
  if (clock === undefined) return;
  postgres = await startPostgres({ durable: false, env: clock.env });
  const { url: ownerUrl } = await postgres.createDatabase();
  const { login, url } = await createLogin({ adminUrl: postgres.adminUrl }, ownerUrl);
  await migratePostgres(ownerUrl, login);
  databases = [new PostgresDatabase({ url }), new PostgresDatabase({ url })];
  desks = databases.map(openDesk);
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await postgres?.stop();
  dir?.remove();
});

/** Requests an approval with an hour to decide, and fifteen minutes to use it. */
async function requested({ task, skip }: TestContext) {
  if (clock === undefined) {
    if (process.env.REQUIRE_ALL === '1') throw new Error('REQUIRE_ALL=1, but there is no C compiler');
    console.warn(`\n*** NOT RUN: "${task.name}": this machine has no C compiler. ***\n`);
    return skip('C compiler');
  }
  clock.set(0);
  const tenant = newTenant();
  const document = {
    tenant_id: tenant,
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'bot' },
    arguments: { amount: 40 },
    policy: { name: 'p', version: '1' },
  } as const;
  const context = { document_digest: documentDigest(document) };
  const intent = anItem(tenant, { event_type: 'agent.action.intended', context });
  const [{ appendRanges, desk }, replica] = desks as [(typeof desks)[0], (typeof desks)[0]];
  await appendRanges([{ items: [intent] }]);
  const approval = await desk.request({ id: uuidv7(), intent_id: intent.event.audit_id, document }, agent);
  return { tenant, approval, desk, other: replica.desk, clock };
}

const grant = ({ document_digest }: Approval) => ({ verdict: 'grant', document_digest }) as const;
const claimOf = ({ id, document_digest, document }: Approval) => ({
  tenant_id: document.tenant_id,
  approval_id: id,
  attempt: uuidv7(),
  document_digest,
});
const recorded = async (tenantId: string) => {
  const filters = { event_type: 'approval.*' };
  const list = { tenantId, filters, order: 'asc', limit: 50 } as const;
  const { events } = await desks[0]!.trail.list(list, { sensitive: true });
  return events.map((event) => (event as unknown as { event_type: string }).event_type);
};

test('it jumps ahead while a decision is open: the time-out takes effect once, and nobody decides after it', async (context) => {
  const { tenant, approval, desk, other, clock } = await requested(context);
  clock.set(2 * hour);
  await Promise.all([desk.advanceDue(), other.advanceDue(), other.get(tenant, approval.id)]);
  await expect(other.decide(tenant, approval.id, grant(approval), maria)).rejects.toMatchObject({
    code: 'NOT_PENDING',
  });
  expect(await recorded(tenant)).toEqual(['approval.requested', 'approval.timed_out', 'approval.refused']);
});

test('it jumps ahead after the grant, and back: the expired approval is never claimed', async (context) => {
  const { tenant, approval, desk, other, clock } = await requested(context);
  await desk.decide(tenant, approval.id, grant(approval), maria);
  clock.set(2 * hour);
  expect(await other.get(tenant, approval.id)).toMatchObject({ state: 'expired' });
  clock.set(0);
  // The chain has records of the future, so the refusal can't be recorded, and nothing else either.
  await expect(desk.claim(claimOf(approval), agent)).rejects.toMatchObject({ code: 'CLOCK_BEHIND_CHAIN' });
  expect(await desk.get(tenant, approval.id)).toMatchObject({ state: 'expired' });
  clock.set(2 * hour);
  await expect(desk.claim(claimOf(approval), agent)).rejects.toMatchObject({ code: 'NOT_GRANTED' });
  expect((await recorded(tenant)).filter((type) => type === 'approval.claimed')).toEqual([]);
});

test('it jumps back within what a chain allows: one claim succeeds, and no second one', async (context) => {
  const { tenant, approval, desk, other, clock } = await requested(context);
  await desk.decide(tenant, approval.id, grant(approval), maria);
  clock.set(-4 * 60 * 1_000);
  const claims = await Promise.allSettled([
    desk.claim(claimOf(approval), agent),
    other.claim(claimOf(approval), agent),
  ]);
  expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  clock.set(0);
  await expect(other.claim(claimOf(approval), agent)).rejects.toMatchObject({ code: 'ALREADY_CLAIMED' });
  expect((await recorded(tenant)).filter((type) => type === 'approval.claimed')).toHaveLength(1);
});
