import { canonicalize } from '@tallystick/event';
import { sha256 } from '#sha256';
import { concatBytes, toHex } from './bytes.ts';

const encoder = new TextEncoder();

/** Salt and value of a sealed field. They are kept outside the record: to erase the field, erase them. */
export interface SealedOpening {
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  readonly value: unknown;
}

/**
 * The commitment in `event.sealed` to an erasable value: the SHA-256, hex, of
 * `"tallystick/sealed/v1" ‖ 0x00 ‖ salt ‖ JCS([pointer, value])`.
 */
export function sealedCommitment(pointer: string, opening: SealedOpening): string {
  if (opening.salt.length !== 32) throw new RangeError('the salt of a sealed field must have 32 bytes');
  const content = encoder.encode(canonicalize([pointer, opening.value]));
  return toHex(sha256(concatBytes(encoder.encode('tallystick/sealed/v1\0'), opening.salt, content)));
}
