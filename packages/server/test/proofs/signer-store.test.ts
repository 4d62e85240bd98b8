import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { SignerStore } from '../../src/proofs/signer-store.ts';

test('a secret of the service is made once, is the same for all replicas, and survives a rotation of the key', () => {
  const dir = tempDir();
  const one = new SignerStore(dir.path);
  const other = new SignerStore(dir.path);
  const secret = one.serviceSecret('received-events');
  expect(secret).toHaveLength(32);
  for (const fill of [1, 2]) {
    one.addFirstKey(new Uint8Array(32), new Uint8Array(32).fill(9), '2026-01-01T00:00:00.000Z');
    one.rotateKey(() => ({
      seed: new Uint8Array(32),
      publicKey: new Uint8Array(32).fill(fill),
      at: '2026-01-02T00:00:00.000Z',
      statement: '',
      reason: 'yearly',
      by: 'operator',
    }));
  }
  expect(other.serviceSecret('received-events')).toEqual(secret);
  expect(other.serviceSecret('service-record-ids')).not.toEqual(secret);
  one.close();
  other.close();
  dir.remove();
});
