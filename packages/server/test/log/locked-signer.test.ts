import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { until } from '@tallystick/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/service.ts';
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

/** As a process holds the file that was stopped while it wrote: nobody can read it, and nobody can take it away. */
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

// Found by the fault campaign on an older broker: one replica was frozen while it signed. Every other waited for it with
// its whole process, five seconds at a time, lost its group, and stored nothing until it woke.
test('a process that is frozen while it signs keeps no other from chaining', async () => {
  lock();
  for (const tenant of ['a', 'b', 'c', 'a']) await submit(tenant);
  let turns = 0;
  const turning = setInterval(() => turns++, 10);
  await expect(service.logs.checkpoint('a')).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: "the signer's directory is locked by another process",
  });
  clearInterval(turning);
  // Two seconds of waiting, in which everything else goes on.
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

test('what is known of what was signed is held against the store all the while', async () => {
  await submit('a');
  await service.logs.checkpoint('a');
  await submit('a');
  lock();
  const behind = { tenantId: 'a', epoch: 1, lastSequence: 0 };
  await expect(
    service.database.transaction({ role: 'writer' }, (session) =>
      service.logs.assertCurrent(session, behind),
    ),
  ).rejects.toMatchObject({ code: 'CHAIN_STOPPED' });
  unlock();
});
