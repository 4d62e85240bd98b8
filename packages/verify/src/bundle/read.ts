import { equalBytes, type KeyRotation, sha256Stream } from '@tallystick/log';
import { BundleError, damaged } from './bundle-error.ts';
import {
  type BundleEntry,
  type BundleHeader,
  checkEnd,
  parseLine,
  readClosed,
  readEntry,
  readHeader,
  readRotationLine,
  readText,
  soleMember,
} from './entries.ts';
import { splitLines } from './lines.ts';

const recordPrefix = new TextEncoder().encode('{"record":');
const closingBrace = 0x7d;
const lineEnd = 0x0a;

/**
 * Reads a bundle, strictly. Only the end line shows that the file is complete and undamaged.
 *
 * @throws {BundleError} as soon as a rule of the format is broken
 */
export async function* readBundle(source: AsyncIterable<Uint8Array>): AsyncGenerator<BundleEntry> {
  const digest = sha256Stream();
  let header: BundleHeader | undefined;
  let lines = 0;
  let records = 0;
  let previous: string = 'nothing';
  let epoch = 0;
  let rotation: KeyRotation | undefined;
  let ended = false;
  for await (const line of splitLines(source)) {
    if (ended) throw damaged('something follows the end line');
    if (line.at(-1) !== lineEnd) throw new BundleError('BUNDLE_TRUNCATED', 'the file ends within a line');
    if (header === undefined) {
      header = readHeader(parseLine(line));
      previous = 'header';
      epoch = header.epoch;
      yield { kind: 'header', ...header };
    } else if (isRecordLine(line)) {
      checkOrder('record', previous, header);
      records++;
      yield { kind: 'record', text: readText(line.subarray(recordPrefix.length, line.length - 2)) };
      previous = 'record';
    } else {
      const [kind, value] = soleMember(parseLine(line));
      if (kind === 'record') throw damaged('a record line does not begin with {"record":');
      checkOrder(kind, previous, header);
      if (kind === 'end') {
        checkEnd(value, { records, lines, sha256: digest.digest() });
        ended = true;
      } else if (kind === 'closed') {
        const closed = readClosed(value, header, epoch);
        epoch = closed.epoch;
        yield closed;
      } else if (kind === 'rotation') {
        rotation = readRotationLine(value, header, rotation);
        yield { kind, rotation };
      } else {
        yield readEntry(kind, value);
      }
      previous = kind;
    }
    if (!ended) digest.update(line);
    lines++;
  }
  if (!ended) throw new BundleError('BUNDLE_TRUNCATED', 'the file ends before its end line');
}

function isRecordLine(line: Uint8Array): boolean {
  return (
    line.length > recordPrefix.length + 2 &&
    equalBytes(line.subarray(0, recordPrefix.length), recordPrefix) &&
    line.at(-2) === closingBrace
  );
}

/** Checks which kind of line may follow which. */
function checkOrder(kind: string, previous: string, { complete, version }: BundleHeader): void {
  const front = ['checkpoint', 'key', 'consistency'];
  const afterBlock = complete ? ['record'] : ['proof'];
  const allowed: { readonly [kind: string]: readonly string[] } = {
    rotation: version === 3 ? ['header', 'rotation'] : [],
    checkpoint: ['header', 'rotation', 'checkpoint'],
    key: front,
    consistency: front,
    record: [...front, ...afterBlock, 'closed'],
    closed: version > 1 && complete ? [...front, 'record', 'closed'] : [],
    proof: complete ? [] : ['record'],
    end: [...front, ...afterBlock, 'closed'],
  };
  const before = Object.hasOwn(allowed, kind) ? allowed[kind] : undefined;
  if (before === undefined) throw damaged('a line is of an unknown kind');
  if (!before.includes(previous)) throw damaged(`a ${kind} line must not follow a ${previous} line`);
}
