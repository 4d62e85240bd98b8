import { type KeyRotation, parseVerifierKey, type Verifier } from '@tallystick/log';
import {
  BundleError,
  type BundleHeader,
  forkReportBegin,
  gunzipIfNeeded,
  readBundle,
} from '@tallystick/verify';

/** What a file claims to be before its first record. None of it can be trusted. */
export interface FileHead {
  /** Whether it is a receipt. Every other file is checked as a bundle. */
  readonly isReceipt: boolean;
  /** Whether it is the report of a reader's browser. */
  readonly isReport: boolean;
  /** Absent for a receipt, and for a bundle whose header can't be read: the verifier reports why. */
  readonly header: BundleHeader | undefined;
  /** The verifier keys that a bundle names. */
  readonly offered: readonly Verifier[];
  /** The rotations of the log's key that a bundle has. */
  readonly rotations: readonly KeyRotation[];
  /** The whole file, from its first byte, compressed if the file is. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const receiptBegin = Buffer.from('c2sp.org/tlog-proof@v1\n');
/** A longer head is not read on: the keys in it are only shown to the user, and the verifier reads the file in full. */
const maxHeadBytes = 1 << 20;
const maxHeadEntries = 1_000;

/** Reads a file up to its first record, so that the trusted keys can be chosen before the check begins. */
export async function peekFile(source: AsyncIterable<Uint8Array>): Promise<FileHead> {
  const iterator = source[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  const whatIsHeld = async function* () {
    for (let at = 0; ; at++) {
      if (at === held.length) {
        const next = await iterator.next();
        if (next.done === true) return;
        held.push(next.value);
        heldBytes += next.value.length;
      }
      yield held[at]!;
    }
  };
  const isReceipt = await beginsWith(gunzipIfNeeded(whatIsHeld()), receiptBegin);
  const isReport = await beginsWith(gunzipIfNeeded(whatIsHeld()), Buffer.from(forkReportBegin));
  const offered: Verifier[] = [];
  const rotations: KeyRotation[] = [];
  let header: BundleHeader | undefined;
  let entries = 0;
  try {
    for await (const entry of isReceipt || isReport ? [] : readBundle(gunzipIfNeeded(whatIsHeld()))) {
      if (entry.kind === 'header') header = entry;
      else if (entry.kind === 'key') offered.push(parseVerifierKey(entry.key));
      else if (entry.kind === 'rotation') rotations.push(entry.rotation);
      if (entry.kind === 'record' || heldBytes > maxHeadBytes || ++entries > maxHeadEntries) break;
    }
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
  }
  return { isReceipt, isReport, header, offered, rotations, bytes: rejoin(held, iterator) };
}

/** Whether a stream begins with these bytes. A stream that is damaged before their end does not. */
async function beginsWith(source: AsyncIterable<Uint8Array>, begin: Uint8Array): Promise<boolean> {
  let head: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of source) {
      head = Buffer.concat([head, chunk]).subarray(0, begin.length);
      if (head.length === begin.length) break;
    }
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return false;
  }
  return Buffer.compare(head, begin) === 0;
}

async function* rejoin(
  held: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* held;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

/** Longest receipt (spec/log.md): a record and its proof, which together are never longer. */
const maxWholeBytes = 4 << 20;

/** All bytes; `undefined` where they are too many, or damaged. */
export async function readWhole(source: AsyncIterable<Uint8Array>): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of source) {
      length += part.length;
      if (length > maxWholeBytes) return undefined;
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof BundleError) return undefined;
    throw error;
  }
  return Buffer.concat(parts);
}
