import type { Reason } from '@tallystick/protocol';
import type { BatchItem, ItemIngest } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';

/**
 * The dead letter of a message. The tenant that the value itself claims is ignored.
 *
 * @param tenantId the tenant that the dead letter is filed under; undefined for none
 */
export function refusedItem(
  value: Uint8Array | null,
  ingest: ItemIngest,
  reason: Reason,
  tenantId: string | undefined,
): BatchItem {
  const { tenantId: _, ...rest } = toDeadLetter(value ?? new Uint8Array(), ingest, [reason]);
  return { deadLetter: { ...rest, ...(tenantId !== undefined && { tenantId }) }, ingest };
}

export const noValue: Reason = { code: 'VALUE_MISSING', pointer: '', message: 'the message has no value' };

export const forbiddenTenant: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '/tenant_id',
  message: 'is not a tenant of the key that submitted the event',
};

/** @param note what the dead letter keeps of the message */
export function tooLong(note: string): Reason {
  return { code: 'EVENT_TOO_LARGE', pointer: '', message: `is too long${note}` };
}

/** @param key the message's key as text; undefined if it has none or it is not UTF-8 */
export function wrongKey(key: string | undefined): Reason {
  const found = key === undefined ? 'no key that is text' : `the key ${JSON.stringify(key.slice(0, 128))}`;
  return {
    code: 'KEY_MISMATCH',
    pointer: '/tenant_id',
    message: `must be the message's key; the message has ${found}`,
  };
}
