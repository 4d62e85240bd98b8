import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { planRecovery } from '../../src/operations/recover.ts';
import { listStrays, removeStrays } from '../../src/operations/remove-strays.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { ownerAccess } from '../../src/store/owner.ts';
import { Trail } from '../../src/trail/trail.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent } from '../events.ts';
import { plantSql } from '../plant.ts';
import { everySite, type Site, withService } from '../sites.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const tenant = 'acme';
const texts = (count: number, of = tenant) =>
  Array.from({ length: count }, () => JSON.stringify(anEvent(of)));
const submit = (service: AuditService, events: readonly string[]) =>
  service.submit({ source: 'test', trust: 'operator', events });
const statusesOf = (results: readonly { status: string }[]) => results.map(({ status }) => status);

describe.each(everySite)('on $kind', ({ make }) => {
  let site: Site;
  afterEach(() => site.remove());

  const removal = (service: AuditService) =>
    removeStrays(service, ownerAccess(service.database, site.ownerUrl), {
      reason: 'planted, incident 7',
      by: 'operator',
      now: Date.now(),
    });

  // One planted row made every batch of its tenant fail with a bare 23505, for good.
  test('a planted row stops its tenant; its removal is recorded with the hash of its bytes', async () => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, [...texts(3), ...texts(2, 'other')]);
      await service.logs.checkpoint(tenant);
    });
    await site.tamper(plantSql({ tenant, sequence: 4 }));
    await site.tamper(
      `insert into audit_tiles (tenant_id, epoch, level, index, root, hashes) values ('${tenant}', 5, 0, 0, 'a', 'b')`,
    );
    await withService(site, async (service) => {
      expect([...service.logs.stopped.keys()]).toEqual([tenant]);
      expect(service.logs.stopped.get(tenant)).toMatch(/record 4 of epoch 1 .*tally strays/);
      const [first, second] = await submit(service, [...texts(1), ...texts(1, 'other')]);
      expect(first).toMatchObject({ status: 'rejected', error: { code: 'CHAIN_STOPPED' } });
      expect(second!.status).toBe('chained');
      // Nothing was lost, so there is nothing to recover.
      expect(await planRecovery(service)).toEqual([]);
      await expect(planRecovery(service, [tenant])).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
      const report = await verifyRange(service, new Trail(service.database), { tenantId: tenant });
      expect(report).toMatchObject({ verdict: 'broken' });
      expect(
        report.findings.map(({ code, epoch, sequence_number }) => [code, epoch, sequence_number]),
      ).toEqual([
        ['STRAY_ROW', 1, 4],
        ['STRAY_ROW', 5, null],
      ]);
      expect(await listStrays(service)).toMatchObject([
        { tenantId: tenant, kind: 'record', sequence_number: 4, isSigned: false },
        { tenantId: tenant, kind: 'tile', epoch: 5, isSigned: false },
      ]);
      const before = await service.database.query<{ sha256: string }>(
        writer,
        `select encode(sha256(convert_to(record, 'UTF8')), 'hex') as sha256 from audit_records
          where tenant_id = $1 and sequence_number = 4`,
        [tenant],
      );
      expect(await removal(service)).toEqual({ removed: 2, recorded: 2 });
      expect(service.logs.stopped.size).toBe(0);
      expect(await listStrays(service)).toEqual([]);
      expect(statusesOf(await submit(service, texts(2)))).toEqual(['chained', 'chained']);
      const records = await expectSoundChain(service.database, tenant);
      const record = records.find(({ event }) => event.event_type === 'audit.strays_removed')!;
      expect(record.event.metadata).toMatchObject({
        count: 2,
        reason: 'planted, incident 7',
        rows: [
          expect.stringMatching(new RegExp(`^record epoch 1 4 [\\w-]{36} sha256:${before[0]!.sha256}$`)),
          // SHA-256 of 'b'.
          'tile epoch 5 0/0 sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d',
        ],
      });
      expect(await removal(service)).toEqual({ removed: 0, recorded: 0 });
      expect(
        await verifyRange(service, new Trail(service.database), { tenantId: tenant, fresh: true }),
      ).toMatchObject({ verdict: 'verified' });
    });
  });

  test('a crash between the removal and its record is made good by the next call', async () => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, texts(2));
      await service.logs.checkpoint(tenant);
    });
    await site.tamper(plantSql({ tenant, epoch: 3, sequence: 0 }));
    await withService(site, async (service) => {
      const crashing = { ...parts(service), appendRanges: () => Promise.reject(new Error('killed')) };
      await expect(
        removeStrays(crashing, ownerAccess(service.database, site.ownerUrl), {
          reason: 'planted',
          by: 'operator',
          now: Date.now(),
        }),
      ).rejects.toThrow('killed');
      expect(await listStrays(service)).toEqual([]);
      expect(await removal(service)).toEqual({ removed: 0, recorded: 1 });
      const records = await expectSoundChain(service.database, tenant);
      expect(records.at(-1)!.event).toMatchObject({ metadata: { count: 1, reason: 'planted' } });
    });
  });

  test('rows that a checkpoint covers are not removed, whatever the head says', async () => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, texts(4));
      await service.logs.checkpoint(tenant);
    });
    await site.tamper(`delete from audit_chain_state where tenant_id = '${tenant}'`);
    await withService(site, async (service) => {
      expect((await listStrays(service)).map(({ isSigned }) => isSigned)).toEqual(Array(5).fill(true));
      expect(await removal(service)).toEqual({ removed: 0, recorded: 0 });
      expect(await service.database.query(writer, 'select 1 from audit_records')).toHaveLength(5);
    });
  });

  test('rows of a tenant without a chain are recorded in the chain of the service itself', async () => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, texts(1));
    });
    await site.tamper(plantSql({ tenant, sequence: 1 }).replace('select tenant_id', "select 'ghost'"));
    await withService(site, async (service) => {
      expect(await removal(service)).toEqual({ removed: 1, recorded: 1 });
      const records = await expectSoundChain(service.database, service.serviceTenant);
      expect(records.at(-1)!.event).toMatchObject({
        event_type: 'audit.strays_removed',
        target_id: 'ghost',
      });
    });
  });
});

const parts = ({ database, signer, logs, serviceTenant }: AuditService) => ({
  database,
  signer,
  logs,
  serviceTenant,
});
