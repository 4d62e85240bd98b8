import { uuidv7 } from '@tallystick/event';
import type { EventItem } from '../batch.ts';
import { principalEvent, serviceEvent } from './service-event.ts';

/** Dead letters that one record names. An entry has about 250 characters, and an event at most 256 KiB. */
const lettersPerRecord = 400;

/**
 * The `delivery.dead_lettered` of a batch: one for each four hundred dead letters.
 *
 * @param chain tenant of the chain that records it
 * @param entries see `formatLetterEntry`
 * @param now time of the batch, ms since the epoch
 */
export function deadLetteredRecords(chain: string, entries: readonly string[], now: number): EventItem[] {
  const records: EventItem[] = [];
  for (let at = 0; at < entries.length; at += lettersPerRecord) {
    const letters = entries.slice(at, at + lettersPerRecord);
    records.push(
      serviceEvent({
        audit_id: uuidv7(now),
        tenant_id: chain,
        timestamp: new Date(now).toISOString(),
        event_type: 'delivery.dead_lettered',
        severity: 'warning',
        target_type: 'dead_letters',
        target_id: chain,
        metadata: { count: letters.length, letters },
      }),
    );
  }
  return records;
}

/**
 * The `audit.dead_letter_retried` of a dead letter.
 *
 * @param chain tenant of the chain that records it
 * @param retry who retried the dead letter, and when, ms since the epoch
 */
export function retriedRecord(
  chain: string,
  letterId: string,
  { by, now }: { readonly by: string; readonly now: number },
): EventItem {
  return principalEvent(
    { by, now, chain },
    {
      event_type: 'audit.dead_letter_retried',
      target_type: 'dead_letter',
      target_id: letterId,
      metadata: { dead_letter_id: letterId },
    },
  );
}
