import { sha256 } from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import type { Finding } from '@tallystick/verify';
import { checkFilters } from './filter-check.ts';
import {
  type ListedLog,
  type ListedRecord,
  listWindow,
  mismatch,
  positionOf,
  recordOf,
} from './listed-records.ts';
import { maxFindings } from './own-check.ts';
import { digestOf, type RecordWindow } from './record-windows.ts';

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
    else if (record === undefined)
      wrong.push(mismatch(sequence, 'the record', 'an event that differs from its record'));
    else {
      listed.push({ record, view });
      hashes.push(sha256(String(view.record)));
    }
  }
  if (wrong.length === 0 && digestOf(hashes) !== digest) {
    wrong.push(
      mismatch(first, `the records #${first} to #${last} of the trail`, 'other records in the list'),
    );
  }
  return { listed, wrong };
}
