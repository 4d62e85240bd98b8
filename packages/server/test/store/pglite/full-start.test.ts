import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { AuditService } from '../../../src/app.ts';
import { Trail } from '../../../src/trail/trail.ts';
import { anEvent } from '../../events.ts';

// Each start checks the collation of the store. The text of that check names UPDATE, so a start on a full disk was refused.
test('a store on a full disk opens, answers reads and refuses writes', async () => {
  using dir = tempDir();
  const open = (reserveBytes?: number) =>
    AuditService.open({
      store: { directory: dir.path, ...(reserveBytes !== undefined && { reserveBytes }) },
      logName: 'audit.test',
      checkpointIntervalMs: 0,
    });
  const submission = () =>
    ({ events: [JSON.stringify(anEvent('acme'))], source: 'test', trust: 'operator' }) as const;
  const first = await open();
  await first.submit(submission());
  await first.close();
  const full = await open(Number.MAX_SAFE_INTEGER);
  try {
    const { events } = await new Trail(full.database).list({ tenantId: 'acme' }, { sensitive: true });
    expect(events).toHaveLength(2);
    await expect(full.submit(submission())).rejects.toMatchObject({ code: 'STORE_FULL' });
  } finally {
    await full.close();
  }
});
