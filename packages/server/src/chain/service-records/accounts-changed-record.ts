import { uuidv7 } from '@tallystick/event';
import { type AccountEntry, formatAccountEntry } from '@tallystick/log';
import type { EventItem } from '../batch.ts';
import { serviceEvent } from './service-event.ts';

/** Characters of the entries of one record. An event has at most 256 KiB. */
const charactersPerRecord = 40_000;

/** Ranges of one entry. The others go to further entries of the same account. */
const rangesPerEntry = 500;

/**
 * The `audit.accounts_changed` of a batch. Usually one.
 *
 * @param chain tenant of the chain that records them
 * @param now time of the batch, ms since the epoch
 */
export function accountsChangedRecords(
  chain: string,
  entries: readonly AccountEntry[],
  now: number,
): EventItem[] {
  return entryTexts(entries).map((accounts) =>
    serviceEvent({
      audit_id: uuidv7(now),
      tenant_id: chain,
      timestamp: new Date(now).toISOString(),
      event_type: 'audit.accounts_changed',
      target_type: 'producers',
      target_id: chain,
      metadata: { accounts },
    }),
  );
}

/** The texts of these entries, in parts that fit into one record each. */
export function entryTexts(entries: readonly AccountEntry[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let characters = 0;
  for (const text of entries.flatMap(inParts).map(formatAccountEntry)) {
    if (part.length > 0 && characters + text.length > charactersPerRecord) {
      parts.push(part);
      [part, characters] = [[], 0];
    }
    part.push(text);
    characters += text.length;
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function inParts(entry: AccountEntry): AccountEntry[] {
  const { settled, submitter, producerId, tenantId } = entry;
  const parts: AccountEntry[] = [{ ...entry, settled: settled.slice(0, rangesPerEntry) }];
  for (let at = rangesPerEntry; at < settled.length; at += rangesPerEntry)
    parts.push({ submitter, producerId, tenantId, settled: settled.slice(at, at + rangesPerEntry) });
  return parts;
}
