import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { anEvent } from '../events.ts';
import { type Site, serverSite } from '../sites.ts';

let site: Site;
let service: AuditService;
let frozen: DatabaseSync;
beforeEach(async () => {
  site = await serverSite();
  service = await site.open();
  frozen = new DatabaseSync(join(site.signerDirectory, 'signer.sqlite'));
});
afterEach(async () => {
  frozen.close();
  await service.close();
  site.remove();
});

/** Locks the file as a process that was stopped while it wrote: no other process can read it or break the lock. */
const lock = () => frozen.exec('begin exclusive');
const unlock = () => frozen.exec('rollback');

async function submit(tenant: string): Promise<void> {
  const submission = {
    events: [JSON.stringify(anEvent(tenant))],
    source: 'test',
    trust: 'operator' as const,
  };
  expect(await service.submit(submission)).toMatchObject([{ status: 'chained' }]);
}

// The fault campaign found this with an older broker: one replica was frozen while it signed. All other replicas waited for it, and
// blocked their event loop for five seconds each time. They lost their membership in the group and stored nothing until it continued.
test('other processes go on chaining while one is frozen in the middle of signing', async () => {
  lock();
  for (const tenant of ['a', 'b', 'c', 'a']) await submit(tenant);
  let turns = 0;
  const turning = setInterval(() => turns++, 10);
  await expect(service.logs.checkpoint('a')).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: "the signer's directory is locked by another process",
  });
  clearInterval(turning);
  // It waits for two seconds, but does not block the event loop.
  expect(turns).toBeGreaterThan(20);
  unlock();
  expect((await service.logs.checkpoint('a')).size).toBe(3);
});

test('signing waits for another process that writes', async () => {
  await submit('a');
  lock();
  // Every try to sign begins with a statement that sets SQLite's own waiting to zero.
  using statements = vi.spyOn(DatabaseSync.prototype, 'exec');
  const tries = () => statements.mock.calls.filter(([sql]) => sql === 'pragma busy_timeout = 0').length;
  const signed = service.logs.checkpoint('a');
  await until(() => tries() >= 3);
  unlock();
  expect((await signed).size).toBe(2);
});

test('the store is compared with the remembered signed head even while the file is locked', async () => {
  await submit('a');
  await service.logs.checkpoint('a');
  await submit('a');
  lock();
  const behind = { tenantId: 'a', epoch: 1, lastSequence: 0 };
  await expect(
    service.database.transaction({ role: 'writer' }, (session) =>
      service.logs.guard.assertCurrent(session, behind),
    ),
  ).rejects.toMatchObject({ code: 'CHAIN_STOPPED' });
  unlock();
});
