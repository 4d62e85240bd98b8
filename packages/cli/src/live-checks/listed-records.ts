import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@tallystick/client';
import type { EventFilters } from '@tallystick/event';
import { type AuditRecord, flattenRecord, readRecord, sha256, toHex } from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import type { Finding } from '@tallystick/verify';
import type { RecordWindow } from './record-windows.ts';

/** The log whose lists are compared, and its verified records. */
export interface ListedLog {
  readonly client: Client;
  readonly tenantId: string;
  readonly epoch: number;
}

/** A record that a list shows. */
export interface ListedRecord {
  readonly record: AuditRecord;
  readonly view: EventView;
}

/**
 * The events of a window of the log's epoch, with the text of their records. After a recovery, lists contain other epochs too.
 *
 * @param options.withReads whether the list has the service's bookkeeping. @defaultValue true
 */
export async function* listWindow(
  { client, tenantId, epoch }: ListedLog,
  { first, last }: RecordWindow,
  { filters = {}, withReads = true }: { readonly filters?: EventFilters; readonly withReads?: boolean } = {},
): AsyncGenerator<EventView> {
  const query = {
    tenant_id: tenantId,
    order: 'asc' as const,
    include: 'record' as const,
    include_reads: withReads,
    filters: { ...filters, sequence_from: first, sequence_to: last },
  };
  for await (const view of client.events.listAll(query)) if (view.epoch === epoch) yield view;
}

/** Where an event says that it is in the chain. */
export function positionOf({ sequence_number }: EventView): number {
  return Number(sequence_number);
}

/** The record of an event, or nothing where the event is not what its record says. */
export function recordOf(view: EventView): AuditRecord | undefined {
  if (typeof view.record !== 'string') return undefined;
  try {
    const record = readRecord(view.record);
    const { record: text, epoch } = view;
    const expected = { ...flattenRecord(record, toHex(sha256(text as string))), epoch, record: text };
    return isDeepStrictEqual({ ...view }, expected) ? record : undefined;
  } catch {
    return undefined;
  }
}

export function mismatch(sequence_number: number, expected: string, found: string): Finding {
  return { code: 'LIST_MISMATCH', sequence_number, expected, found };
}
