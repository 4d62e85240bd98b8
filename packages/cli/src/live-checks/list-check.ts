import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@tallystick/client';
import type { EventFilters } from '@tallystick/event';
import { type AuditRecord, flattenRecord, readRecord, sha256, toHex } from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import type { Finding } from '@tallystick/verify';
import { checkFilters } from './filter-check.ts';
import { maxFindings } from './own-check.ts';
import { digestOf, type RecordWindow } from './record-windows.ts';

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
 * Compares what the service lists with the records that were verified. The list must show every record once, and as it is.
 * In the newest and in one random window, filters must find exactly the records that match them.
 */
export async function checkLists(log: ListedLog, windows: readonly RecordWindow[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const filtered = new Set([windows.length - 1, Math.floor(Math.random() * windows.length)]);
  for (const [at, window] of windows.entries()) {
    if (findings.length >= maxFindings) break;
    const { listed, wrong } = await checkWindow(log, window);
    findings.push(...wrong);
    if (wrong.length === 0 && filtered.has(at)) findings.push(...(await checkFilters(log, window, listed)));
  }
  return findings.slice(0, maxFindings);
}

async function checkWindow(
  log: ListedLog,
  window: RecordWindow,
): Promise<{ readonly listed: readonly ListedRecord[]; readonly wrong: readonly Finding[] }> {
  const { first, last, digest } = window;
  const views = new Map<number, EventView>();
  const wrong: Finding[] = [];
  for await (const view of listWindow(log, window)) {
    const sequence = positionOf(view);
    if (views.has(sequence)) wrong.push(mismatch(sequence, 'one event', 'two events'));
    views.set(sequence, view);
  }
  const listed: ListedRecord[] = [];
  const hashes: Uint8Array[] = [];
  for (let sequence = first; sequence <= last; sequence++) {
    const view = views.get(sequence);
    const record = view === undefined ? undefined : recordOf(view);
    if (view === undefined) wrong.push(mismatch(sequence, 'the record', 'no event in the list'));
    else if (record === undefined) wrong.push(mismatch(sequence, 'the record', 'an event that differs from its record'));
    else {
      listed.push({ record, view });
      hashes.push(sha256(String(view.record)));
    }
  }
  if (wrong.length === 0 && digestOf(hashes) !== digest) {
    wrong.push(mismatch(first, `the records #${first} to #${last} of the trail`, 'other records in the list'));
  }
  return { listed, wrong };
}

/** The events of a window of the log's epoch, with the text of their records. After a recovery, lists contain other epochs too. */
export async function* listWindow(
  { client, tenantId, epoch }: ListedLog,
  { first, last }: RecordWindow,
  filters: EventFilters = {},
): AsyncGenerator<EventView> {
  const query = {
    tenant_id: tenantId,
    order: 'asc' as const,
    include: 'record' as const,
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
