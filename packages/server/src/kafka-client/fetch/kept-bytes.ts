import { createHash } from 'node:crypto';

/**
 * Most bytes that the dead letter of a message keeps: twice what a broker takes for a record batch where nobody has set
 * another `message.max.bytes`. Only what was compressed, or is on a cluster with another setting, can be longer; the whole
 * of it is in the topic for as long as its retention.
 */
export const maxKeptBytes = 2 * 1024 * 1024;

/**
 * What a dead letter keeps of a message or a batch, and what its reason says of the rest: nothing is cut in silence.
 *
 * @returns a copy where it is cut, so that the rest is not held in memory with it
 */
export function keepBytes(bytes: Buffer): { readonly raw: Buffer; readonly note: string } {
  if (bytes.length <= maxKeptBytes) return { raw: bytes, note: '' };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    raw: Buffer.from(bytes.subarray(0, maxKeptBytes)),
    note: `; of its ${bytes.length} bytes the first ${maxKeptBytes} are kept, the SHA-256 of all is ${digest}`,
  };
}
