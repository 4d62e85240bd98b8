import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { Writer } from '../../src/chain/writer.ts';
import { writer } from '../../src/store/database.ts';
import { anEvent, items, logName } from '../events.ts';
import { everySite, type Site } from '../sites.ts';

/** Submits events to the service; resolves when they are chained. */
async function submit(service: AuditService, tenant: string, count: number) {
  const events = Array.from({ length: count }, () => JSON.stringify(anEvent(tenant)));
  return await service.submit({ events, source: 'test', trust: 'operator' });
}

describe.each(everySite)('on $kind, at start', ({ make }) => {
  const tenant = 'restored';
  let site: Site;

  // Signed: `restored` at 3 records, saved there, then at 301 records; `other` at 3 records.
  beforeAll(async () => {
    site = await make();
    const service = await site.open();
    await submit(service, tenant, 2);
    await submit(service, 'other', 2);
    await service.logs.checkpoint(tenant);
    await service.logs.checkpoint('other');
    await service.close();
    await site.save();
    const later = await site.open();
    expect(later.logs.stopped.size).toBe(0);
    await submit(later, tenant, 298);
    expect((await later.logs.checkpoint(tenant)).size).toBe(301);
    await later.close();
  });
  afterAll(() => site.remove());

  /** Appends without the service, as an attacker would, or an instance with another signer. */
  const forge = async (count: number) => {
    const store = await site.openStore();
    await new Writer(store, { logName }).submit(items(count, tenant));
    await store.close();
  };

  /** Opens the service and expects that this tenant is stopped, for this reason, and that no other is. */
  const expectStopped = async (reason: RegExp) => {
    const service = await site.open();
    try {
      expect([...service.logs.stopped.keys()]).toEqual([tenant]);
      expect(service.logs.stopped.get(tenant)).toMatch(reason);
      const stopped = expect.objectContaining({ code: 'CHAIN_STOPPED', details: { tenant_id: tenant } });
      await expect(service.writer.submit(items(1, tenant))).rejects.toEqual(stopped);
      await expect(service.logs.checkpoint(tenant)).rejects.toEqual(stopped);
      // A stopped tenant once held up every batch that it shared with others: its producer sent the batch again without end.
      const raw = [tenant, 'other'].map((of) => JSON.stringify(anEvent(of)));
      const results = await service.submit({ events: raw, source: 'test', trust: 'operator' });
      expect(results).toMatchObject([
        { status: 'rejected', error: { code: 'CHAIN_STOPPED' } },
        { status: 'chained' },
      ]);
      // Nothing is lost: the dead letter keeps the event as it was sent, and an operator retries it after the recovery.
      const { dead_letter_id: id } = (results[0] as { error: { dead_letter_id: string } }).error;
      const [kept] = await service.database.query<{ raw: string; tenant_id: string }>(
        writer,
        "select convert_from(raw, 'UTF8') as raw, tenant_id from audit_dead_letters where id = $1",
        [id],
      );
      expect(kept).toEqual({ raw: raw[0], tenant_id: tenant });
    } finally {
      await service.close();
    }
  };

  test('a store that matches the signed checkpoint, or has grown since, continues', async () => {
    const service = await site.open();
    expect(service.logs.stopped.size).toBe(0);
    await submit(service, 'grown', 1);
    await service.close();
    const again = await site.open();
    expect(again.logs.stopped.size).toBe(0);
    await again.close();
  });

  test('a store that was put back to an older state is stopped for what is missing', async () => {
    await site.putBack();
    await expectStopped(/^301 records were signed, the store has 3$/);
  });

  test('another history of the same length is stopped', async () => {
    await site.putBack();
    await forge(298);
    await expectStopped(/^the first 301 records are not those that were signed$/);
  });

  test('another history that is longer is stopped', async () => {
    await site.putBack();
    await forge(600);
    await expectStopped(/^the first 301 records are not those that were signed$/);
  });

  test('a chain without any record is stopped', async () => {
    await site.putBack();
    await site.tamper(`delete from audit_chain_state where tenant_id = '${tenant}'`);
    await expectStopped(/^301 records were signed, the store has none$/);
  });
});

describe.each(everySite)('on $kind, a head that was tampered with alone', ({ make }) => {
  let site: Site;
  beforeAll(async () => {
    site = await make();
    const service = await site.open();
    for (const tenant of ['signed', 'grown', 'cut', 'long', 'other']) {
      await submit(service, tenant, 300);
      await service.logs.checkpoint(tenant);
    }
    await submit(service, 'grown', 40);
    await service.close();
    const where = (tenant: string) => `where tenant_id = '${tenant}'`;
    await site.tamper(`
      update audit_chain_state set frontier = set_byte(frontier, 5, 1 - get_byte(frontier, 5) % 2) ${where('signed')};
      update audit_chain_state set frontier = set_byte(frontier, 40, 255 - get_byte(frontier, 40)) ${where('grown')};
      update audit_chain_state set frontier = substr(frontier, 1, 32) ${where('cut')};
      update audit_chain_state set last_sequence = 400 ${where('long')}`);
  });
  afterAll(() => site.remove());

  // A frontier of the wrong length is not a tree. Reading it once threw, and the whole service did not start.
  test('stops its own chain, and the service starts for all others', async () => {
    const service = await site.open();
    expect([...service.logs.stopped.keys()].sort()).toEqual(['cut', 'grown', 'long', 'signed']);
    for (const tenant of service.logs.stopped.keys()) {
      expect(await submit(service, tenant, 1)).toMatchObject([
        { status: 'rejected', error: { code: 'CHAIN_STOPPED' } },
      ]);
    }
    expect(await submit(service, 'other', 1)).toMatchObject([{ status: 'chained' }]);
    const failed: string[] = [];
    expect(await service.logs.checkpointAll((tenant) => void failed.push(tenant))).toBe(2);
    expect(failed.sort()).toEqual(['grown', 'long']);
    expect(await service.logs.latestCheckpoint('other')).toMatchObject({ size: 302 });
    await service.close();
  });
});
