import { createVerifier } from '@tallystick/log';
import { type Report, verifyBundle, verifyStore } from '@tallystick/verify';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { planRecovery, recoverChain } from '../../src/operations/recover.ts';
import { planBundle, streamBundle } from '../../src/proofs/bundle.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { Trail } from '../../src/trail/trail.ts';
import { anEvent, logName } from '../events.ts';
import { everySite, type Site, withService } from '../sites.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const tenant = 'acme';
const texts = (count: number) => Array.from({ length: count }, () => JSON.stringify(anEvent(tenant)));

interface Verified {
  readonly verdict: string;
  readonly findings: readonly { code: string; sequence_number: number | null; epoch?: number | undefined }[];
  readonly closed?: Report['closed'];
}

// After a recovery the records of the closed epoch could be edited and deleted, and every verifier said `recovered`.
describe.each(everySite)('on $kind, a closed epoch', ({ make }) => {
  let site: Site;
  const notes: string[] = [];

  const submit = (service: AuditService, count: number) =>
    service.submit({ source: 'test', trust: 'operator', events: texts(count) });

  beforeAll(async () => {
    site = await make();
    await withService(site, async (service) => {
      await submit(service, 20);
      notes.push((await service.logs.checkpoint(tenant)).note);
    });
    await site.save();
    await withService(site, async (service) => {
      await submit(service, 280);
      notes.push((await service.logs.checkpoint(tenant)).note);
    });
    await site.putBack();
    await withService(site, async (service) => {
      const [plan] = await planRecovery(service);
      await recoverChain(service, plan!, 'restored from the backup of noon');
      await submit(service, 5);
      await service.logs.checkpoint(tenant);
    });
    await site.save();
  }, 180_000);
  afterAll(() => site.remove());

  /** What the service's own check, the check of the store, and a check of the exported bundle say. */
  const verifyAll = async (keptOfClosed: readonly string[] = []): Promise<{ [verifier: string]: Verified }> =>
    await withService(site, async (service) => {
      const trail = new Trail(service.database);
      const { epoch } = (await trail.head(tenant))!;
      const key = createVerifier(
        `${logName}/${tenant}/${epoch}`,
        service.signer.store.publicKeys()[0]!.publicKey,
      );
      const query = (sql: string, parameters: readonly unknown[]) =>
        service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
      const plan = await planBundle(service, trail, { tenantId: tenant });
      return {
        service: await verifyRange(service, trail, { tenantId: tenant }),
        store: await verifyStore(query, { tenantId: tenant, logName, keys: [key], keptOfClosed }),
        bundle: await verifyBundle(streamBundle(service, trail, plan), { keys: [key], keptOfClosed }),
      };
    });
  const places = ({ findings }: Verified) => [
    ...new Set(findings.map(({ code, sequence_number, epoch }) => `${code} ${epoch}/${sequence_number}`)),
  ];

  test('is verified with what was left of it, and its loss is stated', async () => {
    for (const [verifier, report] of Object.entries(await verifyAll(notes))) {
      expect([verifier, report]).toMatchObject([
        verifier,
        {
          verdict: 'recovered',
          findings: [],
          closed: [
            {
              epoch: 1,
              origin: `${logName}/${tenant}/1`,
              signed: 301,
              records: 21,
              lost: [[21, 300]],
              lost_records: 280,
            },
          ],
        },
      ]);
    }
  });

  const where = (positions: string) =>
    `where tenant_id = '${tenant}' and epoch = 1 and sequence_number ${positions}`;
  const edit = `update audit_records set record = replace(record, 'alice', 'mallo'),
    actor_id = 'mallo', record_hash = sha256(convert_to(replace(record, 'alice', 'mallo'), 'UTF8')) ${where('= 7')}`;
  test.each([
    ['edited', edit, ['CLOSED_RECORDS_CHANGED 1/0', 'CHAIN_LINK_BROKEN 1/8']],
    ['without a record', `delete from audit_records ${where('= 7')}`, ['SEQUENCE_GAP 1/7']],
    ['without its last records', `delete from audit_records ${where('> 15')}`, ['SEQUENCE_GAP 1/16']],
    ['without any record', `delete from audit_records ${where('>= 0')}`, ['SEQUENCE_GAP 1/0']],
    ['with its last record edited', edit.replace('= 7', '= 20'), ['CLOSED_RECORDS_CHANGED 1/0']],
    [
      'with a record at a place that was lost',
      `insert into audit_records
         select (jsonb_populate_record(r, jsonb_build_object('sequence_number', 25, 'audit_id', gen_random_uuid()))).*
           from audit_records r ${where('= 7')}`,
      ['STRAY_ROW 1/25'],
    ],
  ])('%s is broken for every verifier', async (_, sql, expected) => {
    await site.putBack();
    await site.tamper(`set session_replication_role = replica; ${sql}`);
    const reports = await verifyAll();
    for (const [verifier, report] of Object.entries(reports)) {
      expect([verifier, report.verdict, places(report)]).toEqual([
        verifier,
        'broken',
        // In a bundle a record has the position that its own bytes name.
        expect.arrayContaining(
          expected.map((place) =>
            verifier === 'bundle' ? place.replace('STRAY_ROW 1/25', 'STRAY_ROW 1/7') : place,
          ),
        ),
      ]);
    }
  });

  test('keeps its statement through a second recovery', async () => {
    await site.putBack();
    await withService(site, async (service) => {
      await submit(service, 3);
      await service.logs.checkpoint(tenant);
    });
    // The store goes back to before these three, with an altered record in the first epoch.
    await site.putBack();
    await site.tamper(`set session_replication_role = replica; ${edit}`);
    await withService(site, async (service) => {
      const [plan] = await planRecovery(service);
      expect(plan).toMatchObject({ epoch: 3 });
      await recoverChain(service, plan!, 'restored again');
    });
    for (const [verifier, report] of Object.entries(await verifyAll())) {
      expect([verifier, report.verdict, places(report)]).toEqual([
        verifier,
        'broken',
        expect.arrayContaining(['CLOSED_RECORDS_CHANGED 1/0']),
      ]);
      expect(report.closed).toMatchObject([
        { epoch: 2, signed: 9, records: 6, lost: [[6, 8]] },
        { epoch: 1, signed: 301, records: 21, lost: [[21, 300]] },
      ]);
    }
  });
});
