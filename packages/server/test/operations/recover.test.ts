import { uuidv7 } from '@tallystick/event';
import {
  createVerifier,
  formatTlogProof,
  genesisAuditId,
  parseTlogProof,
  sha256,
  verifyTlogProof,
} from '@tallystick/log';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { Writer } from '../../src/chain/writer.ts';
import type { SubmissionResult } from '../../src/ingest/submission.ts';
import { planRecovery, recoverChain } from '../../src/operations/recover.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { Trail } from '../../src/trail/trail.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, itemOf, items, logName } from '../events.ts';
import { everySite, type Site, serverSite } from '../sites.ts';

const tenant = 'acme';
const reason = 'disk lost, restored from the backup of noon';

const from = { source: 'test', trust: 'operator' } as const;
const submit = (service: AuditService, events: readonly string[]) => service.submit({ ...from, events });
const texts = (count: number, of = tenant) =>
  Array.from({ length: count }, () => JSON.stringify(anEvent(of)));
const statusesOf = (results: readonly SubmissionResult[]) => [
  ...new Set(results.map(({ status }) => status)),
];

describe.each(everySite)('on $kind, a store that was put back to an older state', ({ make }) => {
  let site: Site;
  /** What was delivered before and after the backup. */
  const [kept, lost] = [texts(20), texts(280)];
  /** Receipts of the first epoch: of a record that the backup contains, and of one that it does not contain. */
  const receipts: { readonly proof: string; readonly key: Uint8Array }[] = [];

  beforeAll(async () => {
    site = await make();
    const service = await site.open();
    await submit(service, [...kept, ...texts(2, 'other')]);
    await service.logs.checkpoint(tenant);
    await service.close();
    await site.save();
    const later = await site.open();
    await submit(later, lost);
    const { size, note } = await later.logs.checkpoint(tenant);
    expect(size).toBe(301);
    for (const index of [7, 250]) {
      const [row] = await later.database.query<{ record: string }>(
        writer,
        'select record from audit_records where tenant_id = $1 and sequence_number = $2',
        [tenant, index],
      );
      const inclusion = await later.logs.inclusionProof(tenant, index, size);
      const extra = Buffer.from(row!.record);
      receipts.push({
        proof: formatTlogProof({ extra, index, inclusion, checkpoint: note }),
        key: later.signer.store.publicKeys()[0]!.publicKey,
      });
    }
    await later.close();
  }, 180_000);
  afterAll(() => site.remove());

  const open = async (work: (service: AuditService) => Promise<void>) => {
    const service = await site.open();
    try {
      await work(service);
    } finally {
      await service.close();
    }
  };

  test('shows what would be done, and changes nothing', async () => {
    await site.putBack();
    for (let time = 0; time < 2; time++) {
      await open(async (service) => {
        expect(await planRecovery(service)).toMatchObject([
          {
            tenantId: tenant,
            stopped: '301 records were signed, the store has 21',
            signed: { origin: `${logName}/${tenant}/1`, size: 301 },
            stored: 21,
            epoch: 2,
            origin: `${logName}/${tenant}/2`,
          },
        ]);
        await expect(planRecovery(service, ['other'])).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
        const [plan] = await planRecovery(service);
        for (const wrong of ['', ' ', 'two\nlines', 'x'.repeat(501), '\ud800']) {
          await expect(recoverChain(service, plan!, wrong)).rejects.toMatchObject({
            code: 'PARAMETER_INVALID',
          });
        }
      });
    }
  });

  test('is begun anew in another epoch, which says what was signed last, and why', async () => {
    await open(async (service) => {
      const [plan] = await planRecovery(service);
      const note = service.signer.store.lastSigned(plan!.signed.origin)!.note;
      const first = await recoverChain(service, plan!, reason);
      expect(first).toMatchObject({ origin: `${logName}/${tenant}/2`, epoch: 2, size: 1 });
      expect(service.logs.stopped.size).toBe(0);
      const [genesis] = await expectSoundChain(service.database, tenant, 2);
      expect(genesis!.event.metadata).toMatchObject({ epoch: 2, recovery: { checkpoint: note, reason } });
      // A second operator with the same plan finds that the recovery is done.
      await expect(recoverChain(service, plan!, reason)).rejects.toThrow('has opened epoch 2');
    });
  });

  test('events are delivered again: known ones are duplicates, lost ones are chained once', async () => {
    await open(async (service) => {
      const again = await submit(service, kept);
      expect(statusesOf(again)).toEqual(['duplicate']);
      expect(again[3]).toMatchObject({ receipt: { epoch: 1, sequence_number: 4 } });
      const chained = await submit(service, lost);
      expect(statusesOf(chained)).toEqual(['chained']);
      expect(chained[0]).toMatchObject({ receipt: { epoch: 2, sequence_number: 1 } });
      expect(statusesOf(await submit(service, [...lost, ...kept]))).toEqual(['duplicate']);
      expect(await expectSoundChain(service.database, tenant, 2)).toHaveLength(281);
    });
  });

  test('verifies as recovered, never as verified, and starts like any other', async () => {
    await open(async (service) => {
      expect(service.logs.stopped.size).toBe(0);
      await service.logs.checkpoint(tenant);
      const trail = new Trail(service.database);
      const report = await verifyRange(service, trail, { tenantId: tenant });
      expect(report).toMatchObject({
        verdict: 'recovered',
        epoch: 2,
        records: 281,
        covered_to: 280,
        findings: [],
      });
      expect(await verifyRange(service, trail, { tenantId: 'other', fresh: true })).toMatchObject({
        verdict: 'verified',
      });
    });
  });

  test('leaves the receipts of the first epoch good, also those of records that are gone', async () => {
    for (const { proof, key } of receipts) {
      const parsed = parseTlogProof(proof);
      const verifier = createVerifier(`${logName}/${tenant}/1`, key);
      const { size } = await verifyTlogProof(parsed, sha256(parsed.extra!), [verifier]);
      expect(size).toBe(301);
    }
  });

  test('proves what is left of the first epoch by the checkpoints that are left', async () => {
    await open(async (service) => {
      const hashOf = async (index: number) => {
        const [row] = await service.database.query<{ record_hash: Uint8Array }>(
          writer,
          'select record_hash from audit_records where tenant_id = $1 and epoch = 1 and sequence_number = $2',
          [tenant, index],
        );
        return new Uint8Array(row!.record_hash);
      };
      const log = { tenantId: tenant, epoch: 1 };
      const hash = await hashOf(7);
      const { note, inclusion } = (await service.logs.earlierProof(log, 7, hash))!;
      const proof = parseTlogProof(formatTlogProof({ index: 7, inclusion, checkpoint: note }));
      const verifier = createVerifier(`${logName}/${tenant}/1`, receipts[0]!.key);
      expect(await verifyTlogProof(proof, hash, [verifier])).toMatchObject({ size: 21 });
      expect(await service.logs.earlierProof(log, 7, await hashOf(8))).toBeUndefined();
      expect(await service.logs.earlierProof(log, 250, hash)).toBeUndefined();
    });
  });

  test('can be put back again, and is recovered again', async () => {
    await site.putBack();
    // The id of the next genesis record can be computed in advance. An attacker submits an event with it while the service is down.
    const store = await site.openStore();
    const claimed = itemOf(anEvent(tenant, { audit_id: genesisAuditId(`${logName}/${tenant}/3`) }));
    await new Writer(store, { logName }).submit([claimed]);
    await store.close();
    await open(async (service) => {
      const [plan] = await planRecovery(service);
      expect(plan).toMatchObject({
        stopped: 'epoch 2 was signed, the store has epoch 1',
        signed: { size: 281 },
        epoch: 3,
      });
      await recoverChain(service, plan!, reason);
      expect(statusesOf(await submit(service, lost))).toEqual(['chained']);
      expect(await expectSoundChain(service.database, tenant, 3)).toHaveLength(281);
    });
  });

  // Otherwise a rewritten chain with a higher epoch would not be compared with any signed checkpoint.
  test('with a higher epoch that no recovery opened is stopped', async () => {
    await site.tamper(
      `update audit_chain_state set epoch = 9, last_sequence = -1, frontier = '' where tenant_id = '${tenant}'`,
    );
    const store = await site.openStore();
    await new Writer(store, { logName }).submit(items(400, tenant));
    await store.close();
    await open(async (service) => {
      expect([...service.logs.stopped]).toEqual([[tenant, 'the store has epoch 9, which was never opened']]);
      expect(await planRecovery(service)).toMatchObject([{ epoch: 10 }]);
    });
  });
});

describe('while the service runs', () => {
  let site: Site;
  beforeEach(async () => {
    site = await serverSite();
    return () => site.remove();
  });

  // A fail-over to a standby that lags. The connections break and come back, and the service compared only at its start.
  test('a store that goes back behind what was signed is stopped before it forks', async () => {
    const service = await site.open();
    await submit(service, texts(3));
    const saved = `create table saved as select * from audit_chain_state`;
    await site.tamper(saved);
    await submit(service, texts(5));
    await service.logs.checkpoint(tenant);
    await site.tamper(`update audit_chain_state s set last_sequence = b.last_sequence, last_hash = b.last_hash,
      frontier = b.frontier from saved b where b.tenant_id = s.tenant_id`);
    await expect(submit(service, texts(1))).rejects.toMatchObject({ code: 'CHAIN_STOPPED' });
    expect(service.logs.stopped.get(tenant)).toBe('9 records were signed, the store has 4');
    expect(statusesOf(await submit(service, [...texts(1), ...texts(1, 'other')]))).toEqual([
      'rejected',
      'chained',
    ]);
    await service.close();
  });

  test('another process that recovers a chain is noticed', async () => {
    const first = await site.open();
    await submit(first, texts(5));
    await first.logs.checkpoint(tenant);
    await first.close();
    await site.tamper(`delete from audit_chain_state where tenant_id = '${tenant}'`);
    const [replica, operator] = [await site.open(), await site.open()];
    expect([...replica.logs.stopped.keys()]).toEqual([tenant]);
    const [plan] = await planRecovery(operator);
    expect(plan).toMatchObject({ stopped: '6 records were signed, the store has none', stored: 6, epoch: 2 });
    await recoverChain(operator, plan!, reason);
    await operator.close();
    await replica.logs.guard.reviewStopped();
    expect(statusesOf(await submit(replica, texts(2)))).toEqual(['chained']);
    await replica.close();
  });

  // The epoch that is abandoned may no longer have the records that explain the accounts.
  test('the accounts of producers go on in the new epoch, and each change of them is still found', async () => {
    const producer = uuidv7();
    const send = (service: AuditService, sequences: readonly number[]) =>
      service.submit({
        ...from,
        events: texts(sequences.length),
        delivery: { producer_id: producer, service: 'cms', sequences },
      });
    const first = await site.open();
    await send(first, [1, 2, 5]);
    await first.logs.checkpoint(tenant);
    await first.close();
    await site.tamper(`delete from audit_chain_state where tenant_id = '${tenant}'`);
    const service = await site.open();
    const [plan] = await planRecovery(service);
    await recoverChain(service, plan!, reason);
    expect(statusesOf(await send(service, [3]))).toEqual(['chained']);
    const found = async () => {
      await service.logs.checkpoint(tenant);
      const { findings } = await verifyRange(service, new Trail(service.database), { tenantId: tenant });
      return findings.filter(({ code }) => code === 'PRODUCER_ACCOUNT_MISMATCH').map((each) => each.found);
    };
    expect(await found()).toEqual([]);
    await site.tamper(`update audit_producers set settled_to = 4 where tenant_id = '${tenant}'`);
    expect(await found()).toEqual([
      `${producer} of test for ${tenant}: the number 4 settled without a record`,
    ]);
    await service.close();
  });
});
