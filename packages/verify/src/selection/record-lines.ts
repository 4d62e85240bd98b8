import { decodeUtf8 } from '@tallystick/event';
import { type AuditRecord, readCanonicalRecord, sha256, toHex } from '@tallystick/log';
import { BundleError } from '../bundle/bundle-error.ts';
import { splitLines } from '../bundle/lines.ts';
import { EvidenceError } from './evidence-error.ts';
import { type ShownRecord, shownRecord } from './shown-record.ts';
import { showsPlaceOnly, withheldMembers } from './withheld.ts';

/** A line of `records.jsonl`. */
export interface RecordLine {
  /** The line's number, from 1. */
  readonly number: number;
  /** Where the record says that it is; absent where the line is no record. */
  readonly sequence: number | undefined;
  /** The record's bytes; absent where the reader of the export may not see them. */
  readonly text: string | undefined;
  /** Hash of the record, hex. */
  readonly hash: string | undefined;
  /** What is shown of a record whose bytes are withheld; absent where its bytes are in the line. */
  readonly withheld: ShownRecord | undefined;
  /** The service says that the stored bytes are no record any more. */
  readonly isDamaged: boolean;
  /** What the export shows of the record; absent where the line is no record. */
  shown(epoch: number): ShownRecord | undefined;
}

/**
 * The lines of `records.jsonl`: the bytes of a record, or `{"withheld":…}` with what a reader without the scope for sensitive records sees.
 *
 * @throws {EvidenceError} `EVIDENCE_MALFORMED` for a line that is too long, is not UTF-8 or has no end
 */
export async function* recordLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<RecordLine> {
  let number = 0;
  for await (const text of textLines(source, 'records.jsonl')) {
    number++;
    yield readRecordLine(number, text);
  }
}

/**
 * Reads one line of `records.jsonl`, without its end.
 *
 * @param number of the line, from 1
 */
export function readRecordLine(number: number, text: string): RecordLine {
  return text.startsWith('{"withheld":') ? withheldLine(number, text) : recordLine(number, text);
}

function recordLine(number: number, text: string): RecordLine {
  const record: AuditRecord | undefined = readCanonicalRecord(text);
  const hash = toHex(sha256(new TextEncoder().encode(text)));
  return {
    number,
    sequence: record?.sequence_number,
    text,
    hash,
    withheld: undefined,
    isDamaged: false,
    shown: (epoch) => (record === undefined ? undefined : shownRecord(record, hash, epoch)),
  };
}

function withheldLine(number: number, text: string): RecordLine {
  const identity = readWithheld(text);
  return {
    number,
    sequence: identity?.sequence_number as number | undefined,
    text: undefined,
    hash: identity?.record_hash as string | undefined,
    withheld: identity,
    isDamaged: identity?.damaged === true,
    shown: (epoch) => (identity?.epoch === epoch ? identity : undefined),
  };
}

function readWithheld(text: string): ShownRecord | undefined {
  try {
    const { withheld } = JSON.parse(text) as { withheld?: ShownRecord };
    if (typeof withheld !== 'object' || withheld === null || JSON.stringify({ withheld }) !== text)
      return undefined;
    const isComplete = withheldMembers.every((name) => Object.hasOwn(withheld, name));
    return isComplete && showsPlaceOnly(withheld) && (withheld.redacted === true || withheld.damaged === true)
      ? withheld
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The lines of a text file, without their ends.
 *
 * @throws {EvidenceError} `EVIDENCE_MALFORMED`
 */
export async function* textLines(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const bad = (why: string, cause?: unknown) => new EvidenceError(`${name} ${why}`, { cause });
  try {
    for await (const line of splitLines(source)) {
      if (line.at(-1) !== 0x0a) throw bad('ends within a line');
      yield decodeUtf8(line.subarray(0, -1));
    }
  } catch (cause) {
    if (cause instanceof BundleError) throw bad(`has ${cause.message}`, cause);
    if (cause instanceof EvidenceError || !(cause instanceof Error) || !('code' in cause)) throw cause;
    if (String(cause.code).includes('UTF8')) throw bad('is not UTF-8', cause);
    throw cause;
  }
}
