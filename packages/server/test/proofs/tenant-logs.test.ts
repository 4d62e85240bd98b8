import { join } from 'node:path';
import {
  fromHex,
  frontierRoot,
  leafHash,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from '@tallystick/log';
import { type TempDir, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { Signer } from '../../src/proofs/signer.ts';
import { TenantLogs } from '../../src/proofs/tenant-logs.ts';
import { readTree } from '../../src/proofs/tree-reader.ts';
import { writer as asWriter } from '../../src/store/database.ts';
import { recordsOf } from '../chains.ts';
import { anItem, items, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';

onEachStore((store) => {
  let dir: TempDir;
  const signers: Signer[] = [];
  const openLogs = async () => {
    const signer = await Signer.open(join(dir.path, 'signer'), logName);
    signers.push(signer);
    return new TenantLogs(store().connect(), signer);
  };
  const append = (tenant: string, count: number) =>
    new Writer(store().database, { logName }).submit(items(count, tenant));
  beforeAll(() => {
    dir = tempDir();
  });
  afterAll(() => {
    for (const signer of signers) signer.close();
    dir.remove();
  });

  describe('a checkpoint', () => {
    test('covers all records, is signed and stored, and is returned again until a record is added', async () => {
      const tenant = newTenant();
      const logs = await openLogs();
      await append(tenant, 4);
      const checkpoint = await logs.checkpoint(tenant);
      const [{ key }] = (await logs.verifierKeys(tenant)) as [{ key: string }];
      const { text } = await openNote(checkpoint.note, [parseVerifierKey(key)]);
      const tree = await store().database.transaction(asWriter, (session) => readTree(session, tenant));
      expect(parseCheckpoint(text)).toEqual({
        origin: `${logName}/${tenant}/1`,
        size: 5,
        root: new Uint8Array(frontierRoot(tree!.frontier)),
      });
      expect((await logs.checkpoint(tenant)).note).toBe(checkpoint.note);
      const latest = await logs.latestCheckpoint(tenant);
      expect({ ...latest, root: toHex(latest!.root) }).toEqual({
        ...checkpoint,
        root: toHex(checkpoint.root),
      });
    });

    test('does not exist for a tenant without records', async () => {
      const logs = await openLogs();
      await expect(logs.checkpoint(newTenant())).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await logs.latestCheckpoint(newTenant())).toBeUndefined();
    });

    test('that the signer knows and the store has lost is stored again', async () => {
      const tenant = newTenant();
      const logs = await openLogs();
      await append(tenant, 1);
      const { note } = await logs.checkpoint(tenant);
      // A crash after the signature and before the commit.
      await store().asOwner(`delete from audit_checkpoints where tenant_id = '${tenant}'`);
      expect((await logs.checkpoint(tenant)).note).toBe(note);
      expect((await logs.latestCheckpoint(tenant))?.note).toBe(note);
    });
  });

  test('two replicas that sign while both append never contradict each other', async () => {
    const tenant = newTenant();
    const replicas = await Promise.all([0, 1].map(() => openLogs()));
    await append(tenant, 1);
    const notes: string[] = [];
    const appending = (async () => {
      for (let round = 0; round < 20; round++) await append(tenant, 40);
    })();
    let done = false;
    void appending.finally(() => {
      done = true;
    });
    await Promise.all(
      replicas.map(async (logs) => {
        do {
          notes.push((await logs.checkpoint(tenant)).note);
          // The embedded store answers without a turn of the event loop; the writer needs one.
          await new Promise((resolve) => setImmediate(resolve));
        } while (!done);
      }),
    );
    await appending;
    const last = await replicas[0]!.checkpoint(tenant);
    expect(last.size).toBe(802);
    const [{ key }] = (await replicas[1]!.verifierKeys(tenant)) as [{ key: string }];
    const signed = new Map<number, string>();
    for (const note of notes) {
      const { size, root } = parseCheckpoint((await openNote(note, [parseVerifierKey(key)])).text);
      expect(signed.get(size) ?? toHex(root)).toBe(toHex(root));
      if (signed.has(size)) continue;
      signed.set(size, toHex(root));
      const proof = await replicas[1]!.consistencyProof(tenant, size, last.size);
      verifyConsistency(size, last.size, proof, root, last.root);
    }
    expect(signed.size).toBeGreaterThan(1);
  });

  test('proofs lead from every record and from every earlier tree to the checkpoint', async () => {
    const tenant = newTenant();
    const logs = await openLogs();
    await append(tenant, 299);
    const early = await logs.checkpoint(tenant);
    await append(tenant, 250);
    const late = await logs.checkpoint(tenant);
    const rows = await recordsOf(store().database, tenant);
    for (const index of [0, 1, 255, 256, 299, 512, 549]) {
      const leaf = leafHash(fromHex(rows[index]!.record_hash)!);
      for (const { size, root } of [early, late].filter((checkpoint) => checkpoint.size > index)) {
        verifyInclusion(index, size, leaf, await logs.inclusionProof(tenant, index, size), root);
      }
    }
    const proof = await logs.consistencyProof(tenant, early.size, late.size);
    verifyConsistency(early.size, late.size, proof, early.root, late.root);
    await expect(logs.inclusionProof(tenant, 550, 550)).rejects.toMatchObject({ code: 'TREE_RANGE' });
    await expect(logs.inclusionProof(tenant, 1, 551)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    await expect(logs.consistencyProof(tenant, 0, 5)).rejects.toMatchObject({ code: 'TREE_RANGE' });
    expect(await logs.tile(tenant, { level: 0, index: 2 }, 38)).toHaveLength(38 * 32);
    await expect(logs.tile(tenant, { level: 0, index: 2 }, 39)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  // A head with the signed size and another root was not signed, but its chain was still extended.
  test.each([
    ['the same size', 0],
    ['a larger size', 3],
  ])('a store that turns out to contradict what was signed, at %s, is stopped at once', async (_, more) => {
    const [tenant, other] = [newTenant('forged'), newTenant('other')];
    const logs = await openLogs();
    const writer = new Writer(store().database, {
      logName,
      assertRunning: (id) => logs.guard.assertRunning(id),
    });
    await writer.submit([...items(9, tenant), ...items(9, other)]);
    await logs.checkpoint(tenant);
    await store().asOwner(
      `update audit_chain_state set frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0))
        where tenant_id = '${tenant}'`,
    );
    if (more > 0) await append(tenant, more);
    await expect(logs.checkpoint(tenant)).rejects.toMatchObject({ code: 'CHECKPOINT_INCONSISTENT' });
    await expect(writer.submit([anItem(tenant)])).rejects.toMatchObject({ code: 'CHAIN_STOPPED' });
    await writer.submit([anItem(other)]);
    expect((await logs.checkpoint(other)).size).toBe(11);
  });
});
