import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealedCommitment } from '../src/sealed-field.ts';

const salt = new Uint8Array(32).fill(5);

describe('sealedCommitment', () => {
  it('hashes domain, salt, pointer and canonical value', () => {
    const hash = createHash('sha256');
    hash.update('tallystick/sealed/v1\0', 'utf8');
    hash.update(salt);
    hash.update('["/metadata/ip",{"a":1,"b":[2]}]', 'utf8');
    expect(sealedCommitment('/metadata/ip', { salt, value: { b: [2], a: 1 } })).toBe(hash.digest('hex'));
  });

  it('differs by pointer, value and salt', () => {
    const commitments = [
      sealedCommitment('/metadata/a', { salt, value: 'x' }),
      sealedCommitment('/metadata/b', { salt, value: 'x' }),
      sealedCommitment('/metadata/a', { salt, value: ['x'] }),
      sealedCommitment('/metadata/a', { salt: salt.map(() => 6), value: 'x' }),
    ];
    expect(new Set(commitments).size).toBe(4);
  });

  it('needs a salt of 32 bytes: a short one could be guessed', () => {
    expect(() => sealedCommitment('/metadata/a', { salt: salt.slice(1), value: 1 })).toThrow(RangeError);
  });
});
