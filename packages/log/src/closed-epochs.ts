import { fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { type Checkpoint, parseCheckpoint, parseOrigin } from './checkpoint.ts';
import { LogError } from './errors.ts';
import { parseNote } from './note.ts';

/** Consecutive records that a store still had when their epoch was closed. */
export interface LeftRange {
  readonly first: number;
  readonly last: number;
  /** Root of the tree of these records alone, 32 bytes. */
  readonly root: Uint8Array;
}

/** What a genesis record says about an epoch that was closed before it. */
export interface ClosedEpoch {
  readonly epoch: number;
  /** The last checkpoint that was signed for the epoch. */
  readonly checkpoint: Checkpoint;
  /** The checkpoint as a signed note. */
  readonly note: string;
  /** The records that were left, ascending. The other records that the checkpoint covers are lost. */
  readonly left: readonly LeftRange[];
}

/** A {@link ClosedEpoch} as the genesis record writes it (spec/record.md). */
export interface ClosedEpochText {
  readonly checkpoint: string;
  readonly left: readonly string[];
}

const maxEpochs = 100;
/** Most ranges of one epoch. */
export const maxLeftRanges = 200;

/** A range as the genesis record of a later epoch writes it (spec/record.md). */
export function formatLeftRange({ first, last, root }: LeftRange): string {
  return `${first}-${last} ${toBase64(root)}`;
}

/**
 * Reads what a genesis record says about the epochs before it.
 *
 * @param recovery `metadata.recovery` of the record
 * @param origin of the record's chain
 * @returns newest epoch first; `undefined` where the record says nothing
 * @throws {LogError} `RECORD_MALFORMED`
 */
export function readClosedEpochs(recovery: unknown, origin: string): readonly ClosedEpoch[] | undefined {
  if (typeof recovery !== 'object' || recovery === null || !Object.hasOwn(recovery, 'closed')) {
    return undefined;
  }
  const { closed } = recovery as { readonly closed: unknown };
  if (!Array.isArray(closed) || closed.length === 0 || closed.length > maxEpochs) throw malformed();
  const own = parseOrigin(origin);
  let before = own.epoch;
  return closed.map((entry) => {
    const read = readClosedEpoch(entry);
    const named = parseOriginOf(read.checkpoint);
    if (named.logName !== own.logName || named.tenantId !== own.tenantId || named.epoch >= before)
      throw malformed();
    before = named.epoch;
    return { epoch: named.epoch, ...read };
  });
}

function readClosedEpoch(entry: unknown): Omit<ClosedEpoch, 'epoch'> {
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).sort().join() !== 'checkpoint,left') {
    throw malformed();
  }
  const { checkpoint: note, left } = entry as { readonly checkpoint: unknown; readonly left: unknown };
  if (typeof note !== 'string' || !Array.isArray(left) || left.length > maxLeftRanges) throw malformed();
  let next = 0;
  const ranges = left.map((text: unknown) => {
    const range = readLeftRange(text);
    if (range.first < next || range.last < range.first) throw malformed();
    next = range.last + 1;
    return range;
  });
  try {
    return { note, checkpoint: parseCheckpoint(parseNote(note).text), left: ranges };
  } catch (cause) {
    throw malformed(cause);
  }
}

function readLeftRange(text: unknown): LeftRange {
  const [positions = '', rootText = '', ...rest] = typeof text === 'string' ? text.split(' ') : [];
  const [firstText = '', lastText = '', ...more] = positions.split('-');
  const [first, last] = [parseDecimal(firstText), parseDecimal(lastText)];
  const root = fromBase64(rootText);
  if (first === undefined || last === undefined || root?.length !== 32) throw malformed();
  if (rest.length + more.length > 0) throw malformed();
  return { first, last, root };
}

function parseOriginOf({ origin }: Checkpoint): ReturnType<typeof parseOrigin> {
  try {
    return parseOrigin(origin);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): LogError {
  return new LogError(
    'RECORD_MALFORMED',
    'the genesis record describes closed epochs in an unknown way',
    cause === undefined ? undefined : { cause },
  );
}
