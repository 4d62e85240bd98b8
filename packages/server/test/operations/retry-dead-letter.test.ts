import { uuidv7 } from '@tallystick/event';
import type { DeadLetterInfo } from '@tallystick/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { toDeadLetter } from '../../src/chain/dead-letters.ts';
import { messageSource } from '../../src/chain/source-position.ts';
import { DeadLetters } from '../../src/operations/dead-letters.ts';
import { planRecovery, recoverChain } from '../../src/operations/recover.ts';
import { retryDeadLetter } from '../../src/operations/retry-dead-letter.ts';
import { writer } from '../../src/store/database.ts';
import { expectSoundChain, recordsOf } from '../chains.ts';
import { anEvent, newTenant } from '../events.ts';
import { embeddedSite, type Site } from '../sites.ts';

let site: Site;
let service: AuditService;
/** A chain that was signed and then restored from a backup. It is stopped until its test recovers it. */
const stopped = newTenant('stopped');

beforeAll(async () => {
  site = await embeddedSite();
  const first = await site.open();
  await first.submit({ ...operator, events: [JSON.stringify(anEvent(stopped))] });
  await first.close();
  await site.save();
  const second = await site.open();
  await second.submit({ ...operator, events: [JSON.stringify(anEvent(stopped))] });
  await second.logs.checkpoint(stopped);
  await second.close();
  await site.putBack();
  service = await site.open();
}, 120_000);
afterAll(async () => {
  await service?.close();
  site?.remove();
});

const operator = { source: 'test', trust: 'operator' } as const;
const submitter = { source: 'http', trust: 'api-key', principal: 'key:1' } as const;

const deadLetters = () => new DeadLetters(service.database);
const openDeadLetters = async () =>
  (await deadLetters().list({ state: 'open', tenants: undefined, limit: 100 })).deadLetters;
const retry = (id: string, tenants?: readonly string[]) =>
  retryDeadLetter(service, deadLetters(), { id, tenants, by: 'tester', now: Date.now() });
const accountOf = async (producerId: string) => {
  const [account] = await service.database.query<{
    submitter: string;
    settled_to: number;
    final_seq: number;
  }>(writer, 'select submitter, settled_to, final_seq from audit_producers where producer_id = $1::uuid', [
    producerId,
  ]);
  return account;
};

/** A dead letter as the consumer of a topic stores it. */
async function refusedMessage(raw: string, tenantId: string, reason = 'KEY_MISMATCH'): Promise<string> {
  const source = messageSource({ clusterId: 'c', topic: 'events', partition: 0, offset: offset++ });
  const letter = toDeadLetter(raw, { source }, [{ code: reason, pointer: '', message: 'is wrong' }]);
  await service.writer.submit([{ deadLetter: { ...letter, tenantId } }]);
  return letter.id;
}
let offset = 0;

test('gaps that came over HTTP while the chain was stopped are chained after the recovery, each once', async () => {
  const producer = uuidv7();
  const gap = (from: number, to: number) => ({ tenant_id: stopped, from, to, reason: 'crash' });
  const declared = {
    ...submitter,
    events: [],
    tenants: [stopped],
    delivery: {
      producer_id: producer,
      service: 'cms',
      gaps: [gap(1, 3), gap(4, 4)],
      final: [{ tenant_id: stopped, final_seq: 4 }],
    },
  };
  await service.submit(declared);
  const kept = await openDeadLetters();
  expect(kept).toMatchObject([
    { reason: 'CHAIN_STOPPED', tenant_id: stopped, principal: 'key:1', seen: 1 },
    { reason: 'CHAIN_STOPPED', tenant_id: stopped, principal: 'key:1', seen: 1 },
  ]);
  const ids = kept.map(({ id }) => id);
  // The client declares the gaps again, because it got no answer, and the operator retries too early: no new dead letters.
  await service.submit(declared);
  expect(await retry(ids[0]!)).toMatchObject({
    status: 'rejected',
    error: { code: 'CHAIN_STOPPED', dead_letter_id: ids[0] },
  });
  expect((await openDeadLetters()).map(({ id }) => id)).toEqual(ids);
  expect(await accountOf(producer)).toEqual({ submitter: 'key:1', settled_to: 0, final_seq: 4 });

  const [plan] = await planRecovery(service, [stopped]);
  await recoverChain(service, plan!, 'restored for a test');
  for (const status of ['chained', 'duplicate']) {
    for (const id of ids) expect(await retry(id, [stopped])).toMatchObject({ status });
    expect(await openDeadLetters()).toEqual([]);
    expect(await accountOf(producer)).toEqual({ submitter: 'key:1', settled_to: 4, final_seq: 4 });
    const [, ...records] = await expectSoundChain(service.database, stopped, 2);
    // Both dead letters have the same time, so they are listed and retried in the order of their random ids.
    const gaps = records
      .filter(({ event }) => event.event_type === 'delivery.gap')
      .map(({ event }) => event.metadata as { from: number });
    expect(gaps.toSorted((one, other) => one.from - other.from)).toMatchObject([
      { producer_id: producer, submitter: 'key:1', from: 1, to: 3, reason: 'crash', service: 'cms' },
      { producer_id: producer, submitter: 'key:1', from: 4, to: 4, reason: 'crash', service: 'cms' },
    ]);
  }
});

test('a statement with only a last number changes the account, and nothing is chained', async () => {
  const [tenant, producer] = [newTenant(), uuidv7()];
  const final = [{ tenant_id: tenant, final_seq: 0 }];
  const id = await refusedMessage(JSON.stringify({ delivery: { producer_id: producer, final } }), tenant);
  expect(await retry(id)).toEqual({ status: 'noted' });
  expect(await deadLetters().get(id, undefined)).toMatchObject({ info: { state: 'retried' } });
  expect(await accountOf(producer)).toEqual({ submitter: 'kafka:c/events', settled_to: 0, final_seq: 0 });
  expect(await recordsOf(service.database, tenant)).toEqual([]);
});

test('a malformed statement is refused again with its own dead letter, and so is one for a foreign tenant', async () => {
  const [tenant, other] = [newTenant(), newTenant()];
  const malformed = await refusedMessage('{"delivery":{}}', tenant, 'DELIVERY_INVALID');
  expect(await retry(malformed)).toMatchObject({
    status: 'rejected',
    error: { code: 'DELIVERY_INVALID', dead_letter_id: malformed },
  });
  const gaps = [{ tenant_id: other, from: 1, to: 1, reason: 'crash' }];
  const foreign = await refusedMessage(JSON.stringify({ delivery: { producer_id: uuidv7(), gaps } }), tenant);
  expect(await retry(foreign, [tenant])).toMatchObject({ error: { code: 'TENANT_FORBIDDEN' } });
  expect(await recordsOf(service.database, other)).toEqual([]);
  expect((await openDeadLetters()).map(({ id }: DeadLetterInfo) => id).sort()).toEqual(
    [malformed, foreign].sort(),
  );
});

// An operator with a key for every tenant retries. Without a check, the event would be chained for a tenant that the submitter
// may not write for.
test('a retry never writes for a tenant that the original submitter may not write for', async () => {
  const [own, other] = [newTenant(), newTenant()];
  const ahead = { ...anEvent(other), timestamp: new Date(Date.now() + 7_200_000).toISOString() };
  const gaps = [{ tenant_id: other, from: 1, to: 1, reason: 'crash' }];
  const events = [ahead, { delivery: { producer_id: uuidv7(), gaps } }].map((each) => JSON.stringify(each));
  const refused = await service.submit({ ...submitter, events, tenants: [own] });
  await service.close();
  // Late enough that the timestamp of the event is no longer in the future.
  service = await site.open({ now: () => Date.now() + 7_200_000 });
  for (const result of refused) {
    const id = ('error' in result && result.error.dead_letter_id) || '';
    expect(await retry(id)).toMatchObject({ status: 'rejected', error: { code: 'TENANT_FORBIDDEN' } });
  }
  expect(await recordsOf(service.database, other)).toEqual([]);
});
