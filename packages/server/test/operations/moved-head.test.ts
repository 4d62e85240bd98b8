import { createVerifier } from '@tallystick/log';
import { verifyStore } from '@tallystick/verify';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { planRecovery, recoverChain } from '../../src/operations/recover.ts';
import { listStrays, removeStrays } from '../../src/operations/remove-strays.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { ownerAccess } from '../../src/store/owner.ts';
import { Trail } from '../../src/trail/trail.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, logName } from '../events.ts';
import { plantSql } from '../plant.ts';
import { everySite, type Site, withService } from '../sites.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const tenant = 'acme';
const submit = (service: AuditService, count: number) =>
  service.submit({
    source: 'test',
    trust: 'operator',
    events: Array.from({ length: count }, () => JSON.stringify(anEvent(tenant))),
  });

/** Somebody with access to the database moves a head into an epoch that no operator opened, and plants rows there. */
describe.each(everySite)('on $kind, a chain whose head was moved', ({ make }) => {
  let site: Site;
  afterEach(() => site.remove());

  const moveTo = async (epoch: number) => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, 3);
      await service.logs.checkpoint(tenant);
    });
    // The triggers of the store list epoch 1 as closed.
    await site.tamper(`update audit_chain_state set epoch = ${epoch} where tenant_id = '${tenant}';
      ${plantSql({ tenant, epoch, sequence: 0 })}; ${plantSql({ tenant, epoch, sequence: 1 })};`);
  };
  const asOwner = (service: AuditService) => ownerAccess(service.database, site.ownerUrl);
  const findingsOf = async (service: AuditService) => {
    const { publicKey } = service.signer.store.publicKeys()[0]!;
    const { epoch } = (await new Trail(service.database).head(tenant))!;
    const query = (sql: string, parameters: readonly unknown[]) =>
      service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
    const reports = [
      await verifyRange(service, new Trail(service.database), { tenantId: tenant }),
      await verifyStore(query, {
        tenantId: tenant,
        logName,
        keys: [createVerifier(`${logName}/${tenant}/${epoch}`, publicKey)],
      }),
    ];
    return reports.map(({ verdict, findings }) => [
      verdict,
      [...new Set(findings.map(({ code, epoch: of }) => `${code} ${of}`))],
    ]);
  };
  const idsOf = async (service: AuditService) => {
    const { events } = await new Trail(service.database).list({ tenantId: tenant }, { sensitive: true });
    return events.map(({ epoch, sequence_number }) => `${epoch}/${sequence_number}`);
  };

  // The move made the store list the epoch as closed. The check of the store reported its rows, and tally strays, the guard and
  // the service's own check did not.
  test('is recovered; the planted rows are strays for everybody, and can be removed', async () => {
    await moveTo(5);
    await withService(site, async (service) => {
      const [plan] = await planRecovery(service);
      expect(plan).toMatchObject({ epoch: 6, stopped: 'the store has epoch 5, which was never opened' });
      await recoverChain(service, plan!, 'a stolen login moved the head');
      expect(service.logs.stopped.get(tenant)).toMatch(/epoch 5 in the list of closed epochs.*tally strays/);
      expect(await findingsOf(service)).toEqual([
        ['broken', ['STRAY_ROW 5']],
        ['broken', ['STRAY_ROW 5']],
      ]);
      expect(await listStrays(service)).toMatchObject([
        { kind: 'epoch', epoch: 5, isSigned: false },
        { kind: 'record', epoch: 5, isSigned: false },
        { kind: 'record', epoch: 5, isSigned: false },
      ]);
      const request = { reason: 'planted', by: 'operator', now: Date.now() };
      expect(await removeStrays(service, asOwner(service), request)).toEqual({ removed: 3, recorded: 3 });
      expect(service.logs.stopped.size).toBe(0);
      await service.logs.checkpoint(tenant);
      expect(await findingsOf(service)).toEqual([
        ['recovered', []],
        ['recovered', []],
      ]);
      expect(await idsOf(service)).toEqual(['6/1', '6/0', '1/3', '1/2', '1/1', '1/0']);
      const records = await expectSoundChain(service.database, tenant, 6);
      expect(records.at(-1)!.event.metadata).toMatchObject({
        count: 3,
        rows: [expect.stringMatching(/^epoch epoch 5 \d+ sha256:/), expect.anything(), expect.anything()],
      });
    });
  });

  test('to the last possible epoch is recovered, with the rights of the owner', async () => {
    await moveTo(2 ** 31 - 1);
    await withService(site, async (service) => {
      const [plan] = await planRecovery(service);
      expect(plan).toMatchObject({ epoch: 2, headToLower: 2 ** 31 - 1 });
      await expect(recoverChain(service, plan!, 'moved')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await recoverChain(service, plan!, 'a stolen login moved the head', asOwner(service));
      // Another operator with the same plan comes too late.
      await expect(recoverChain(service, plan!, 'moved', asOwner(service))).rejects.toThrow('opened epoch 2');
      expect(await listStrays(service)).toHaveLength(2);
      const request = { reason: 'planted', by: 'operator', now: Date.now() };
      await removeStrays(service, asOwner(service), request);
      await service.logs.checkpoint(tenant);
      expect((await submit(service, 1)).map(({ status }) => status)).toEqual(['chained']);
      expect(await findingsOf(service)).toEqual([
        ['recovered', []],
        ['recovered', []],
      ]);
    });
  });

  test('is listed without a search through all epochs', async () => {
    await moveTo(2 ** 31 - 1);
    await withService(site, async (service) => {
      expect(await idsOf(service)).toContain('1/3');
    });
  });
});
