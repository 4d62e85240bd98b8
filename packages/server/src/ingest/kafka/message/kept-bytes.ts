import { createHash } from 'node:crypto';

/**
 * Most bytes of a message that its dead letter keeps: twice the largest record batch that a broker with the default
 * `message.max.bytes` accepts. Only a message that was compressed, or a cluster with a higher setting, can exceed this.
 * The topic keeps the whole message until its retention ends.
 */
export const maxKeptBytes = 2 * 1024 * 1024;

/**
 * What a dead letter keeps of a message or a record batch.
 *
 * @returns the bytes, and a note for the dead letter's reason, which is empty unless the bytes were cut. Cut bytes are a
 *   copy, so that the rest does not stay in memory with them
 */
export function keepBytes(bytes: Buffer): { readonly raw: Buffer; readonly note: string } {
  if (bytes.length <= maxKeptBytes) return { raw: bytes, note: '' };
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    raw: Buffer.from(bytes.subarray(0, maxKeptBytes)),
    note: `; of its ${bytes.length} bytes the first ${maxKeptBytes} are kept, the SHA-256 of all is ${digest}`,
  };
}
