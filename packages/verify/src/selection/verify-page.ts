import { canonicalize } from '@tallystick/event';
import { type AuditRecord, fromBase64, type RotationJson, rotationFromJson } from '@tallystick/log';
import { type SelectedRecord, SelectionCheck } from './selection-check.ts';
import type { SelectionOptions } from './selection-checkpoint.ts';
import type { SelectionReport } from './selection-report.ts';
import { shownRecord } from './shown-record.ts';
import { showsPlaceOnly } from './withheld.ts';

/** What a service adds to a page of a list with `verify=true`. */
export interface PageEvidence {
  /** The log that the checkpoint is of. */
  readonly origin: string;
  /** The signed note. */
  readonly checkpoint: string;
  /** Hashes of the multiproof, base64. */
  readonly hashes: readonly string[];
  readonly rotations?: readonly RotationJson[] | undefined;
}

/** An event of a page: the flat record with `epoch`, and with `record`, the bytes that were hashed. */
export interface ShownEvent {
  readonly [field: string]: unknown;
}

/**
 * Verifies one page of a list: the bytes of each event with the proof, and that what is shown is what the bytes say. A page does not show
 * that it is complete.
 *
 * @param matches whether a record matches the query of the page. @defaultValue every record matches
 * @throws {LogError} `NOTE_MALFORMED` or `CHECKPOINT_MALFORMED`, also for a checkpoint of another log than the evidence names;
 *   `ROTATION_MALFORMED`
 */
export async function verifyPage(
  events: readonly ShownEvent[],
  evidence: PageEvidence,
  options: SelectionOptions & { readonly matches?: ((record: AuditRecord) => boolean) | undefined },
): Promise<SelectionReport> {
  const rotations = [...(options.rotations ?? []), ...(evidence.rotations ?? []).map(rotationFromJson)];
  const check = await SelectionCheck.open(evidence.origin, evidence.checkpoint, { ...options, rotations });
  const hashes = evidence.hashes.map((text) => fromBase64(text) ?? new Uint8Array());
  let at = 0;
  const take = (count: number) => {
    at += count;
    return hashes.slice(at - count, at);
  };
  const placed = events.flatMap((event) => {
    const place = placeOf(event);
    if (place !== undefined) return [{ event, place }];
    check.findings.add({ code: 'LIST_MISMATCH', sequence_number: null, found: 'an event without a place' });
    return [];
  });
  placed.sort((a, b) => a.place.epoch - b.place.epoch || a.place.sequence - b.place.sequence);
  for (const { event, place } of placed) {
    const record = check.add(place, take(check.hashesBefore(place.epoch, place.sequence)));
    const found =
      record === undefined ? foundWithoutBytes(event) : foundInView(event, record, place, options);
    if (found !== undefined)
      check.findings.add({ code: 'LIST_MISMATCH', sequence_number: place.sequence, found });
  }
  const rest = take(check.hashesAfter());
  // A hash too many is refused like one too few.
  return check.finish(at < hashes.length ? [...rest, ...hashes.slice(at)] : rest);
}

function placeOf(event: ShownEvent): SelectedRecord | undefined {
  const { epoch, sequence_number, record, record_hash } = event;
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(sequence_number)) return undefined;
  return {
    epoch: epoch as number,
    sequence: sequence_number as number,
    ...(typeof record === 'string' ? { text: record } : { withheld: event }),
    ...(typeof record_hash === 'string' && { hash: record_hash }),
  };
}

/** Only an event that the reader may not see comes without bytes, and shows nothing else. Bytes that can't be read were reported already. */
function foundWithoutBytes(event: ShownEvent): string | undefined {
  const { record, redacted } = event;
  if (typeof record === 'string') return undefined;
  if (record !== undefined || redacted !== true) return 'an event without its bytes';
  return showsPlaceOnly(event) ? undefined : 'more than the place of an event whose bytes are withheld';
}

/** What of the shown event differs from its bytes. */
function foundInView(
  event: ShownEvent,
  record: AuditRecord,
  { epoch, hash = '' }: SelectedRecord,
  { matches }: { readonly matches?: ((record: AuditRecord) => boolean) | undefined },
): string | undefined {
  const expected: ShownEvent = { ...shownRecord(record, hash, epoch), record: event.record };
  const names = new Set([...Object.keys(expected), ...Object.keys(event)]);
  for (const name of names)
    if (!isSame(event[name], expected[name])) return `another ${name.slice(0, 64)} than in the record`;
  return matches === undefined || matches(record) ? undefined : 'an event that does not match the query';
}

function isSame(shown: unknown, expected: unknown): boolean {
  if (shown === expected) return true;
  if (typeof shown !== 'object' || typeof expected !== 'object') return false;
  try {
    return canonicalize(shown) === canonicalize(expected);
  } catch {
    return false;
  }
}
