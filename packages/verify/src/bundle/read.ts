import { decodeUtf8, parseStrictJson } from '@tallystick/event';
import {
  equalBytes,
  fromBase64,
  fromHex,
  parseOrigin,
  parseVerifierKey,
  sha256Stream,
} from '@tallystick/log';
import { BundleError } from './bundle-error.ts';
import { splitLines } from './lines.ts';

/** What stands in a bundle, in the order of the file (spec/bundle.md). */
export type BundleEntry =
  | ({ readonly kind: 'header' } & BundleHeader)
  | { readonly kind: 'checkpoint'; readonly note: string }
  | {
      readonly kind: 'consistency';
      readonly from: number;
      readonly to: number;
      readonly hashes: readonly Uint8Array[];
    }
  /** The record's bytes, verbatim, as text. */
  | { readonly kind: 'record'; readonly text: string }
  | { readonly kind: 'proof'; readonly index: number; readonly hashes: readonly Uint8Array[] };

/** What a bundle says that it holds. Nothing in it is believed before it is verified. */
export interface BundleHeader {
  readonly tenantId: string;
  readonly origin: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  /** Whether it holds a whole chain; otherwise each record comes with its own proof. */
  readonly complete: boolean;
}

const recordPrefix = new TextEncoder().encode('{"record":');
const closingBrace = 0x7d;

/**
 * Reads a bundle, strictly. That every line was read, and the file is undamaged, is known only when it ends.
 *
 * @throws {BundleError} as soon as a rule of the format is broken
 */
export async function* readBundle(source: AsyncIterable<Uint8Array>): AsyncGenerator<BundleEntry> {
  const digest = sha256Stream();
  let header: BundleHeader | undefined;
  let lines = 0;
  let records = 0;
  let previous: string = 'nothing';
  let ended = false;
  for await (const line of splitLines(source)) {
    if (ended) throw damaged('something follows the end line');
    if (header === undefined) {
      header = readHeader(parseLine(line));
      previous = 'header';
      yield { kind: 'header', ...header };
    } else if (isRecordLine(line)) {
      checkOrder('record', previous, header.complete);
      records++;
      yield { kind: 'record', text: readText(line.subarray(recordPrefix.length, line.length - 2)) };
      previous = 'record';
    } else {
      const [kind, value] = soleMember(parseLine(line));
      checkOrder(kind, previous, header.complete);
      if (kind === 'end') {
        checkEnd(value, { records, lines, sha256: digest.digest() });
        ended = true;
      } else {
        const entry = readEntry(kind, value);
        if (entry !== undefined) yield entry;
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

/** Which kinds may follow which. */
function checkOrder(kind: string, previous: string, complete: boolean): void {
  const front = ['checkpoint', 'key', 'consistency'];
  const afterBlock = complete ? ['record'] : ['proof'];
  const allowed: { readonly [kind: string]: readonly string[] } = {
    checkpoint: ['header', 'checkpoint'],
    key: front,
    consistency: front,
    record: [...front, ...afterBlock],
    proof: complete ? [] : ['record'],
    end: [...front, ...afterBlock],
  };
  const before = Object.hasOwn(allowed, kind) ? allowed[kind] : undefined;
  if (before === undefined) throw damaged(`unknown line kind`);
  if (!before.includes(previous)) throw damaged(`a ${kind} line must not follow a ${previous} line`);
}

function readHeader(value: Record<string, unknown>): BundleHeader {
  const version = value.tallystick_bundle;
  if (Number.isInteger(version) && version !== 1) {
    throw new BundleError('BUNDLE_UNSUPPORTED', `bundle format ${version} is not known to this version`);
  }
  const { tenant_id, origin, epoch, first, last, complete } = value;
  const members = 'complete,epoch,first,last,origin,tallystick_bundle,tenant_id';
  if (version !== 1 || Object.keys(value).sort().join() !== members || typeof complete !== 'boolean')
    throw damaged('header');
  if (!isCount(first) || !isCount(last) || first > last || (complete && first !== 0))
    throw damaged('header: first, last');
  try {
    const named = parseOrigin(String(origin));
    if (named.tenantId !== tenant_id || named.epoch !== epoch)
      throw damaged('the header contradicts its origin');
  } catch (cause) {
    throw cause instanceof BundleError ? cause : damaged('header: origin', cause);
  }
  return {
    tenantId: tenant_id as string,
    origin: origin as string,
    epoch: epoch as number,
    first,
    last,
    complete,
  };
}

function readEntry(kind: string, value: unknown): BundleEntry | undefined {
  if (kind === 'checkpoint') {
    if (typeof value !== 'string') throw damaged('checkpoint');
    return { kind, note: value };
  }
  if (kind === 'key') {
    try {
      parseVerifierKey(value as string);
    } catch (cause) {
      throw damaged('key', cause);
    }
    return undefined;
  }
  const object = membersOf(value, kind === 'proof' ? ['hashes', 'index'] : ['from', 'hashes', 'to']);
  const hashes = readHashes(object.hashes);
  if (kind === 'proof') {
    if (!isCount(object.index)) throw damaged('proof: index');
    return { kind, index: object.index, hashes };
  }
  const { from, to } = object;
  if (!isCount(from) || !isCount(to) || from < 1 || from > to) throw damaged('consistency: from, to');
  return { kind: 'consistency', from, to, hashes };
}

function checkEnd(value: unknown, seen: { records: number; lines: number; sha256: Uint8Array }): void {
  const end = membersOf(value, ['lines', 'records', 'sha256']);
  const sha256 = fromHex(String(end.sha256));
  if (sha256?.length !== 32) throw damaged('end: sha256');
  if (!equalBytes(sha256, seen.sha256)) throw damaged('the bytes are not those that were written');
  if (end.records !== seen.records || end.lines !== seen.lines) throw damaged('end: counts');
}

function parseLine(line: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseStrictJson(decodeUtf8(line.subarray(0, -1)));
  } catch (cause) {
    throw damaged('a line is not strict JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged('a line is not an object');
  return value as Record<string, unknown>;
}

function readText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw damaged('a record is not UTF-8', cause);
  }
}

function soleMember(object: Record<string, unknown>): [string, unknown] {
  const entries = Object.entries(object);
  if (entries.length !== 1) throw damaged('a line has exactly one member');
  return entries[0]!;
}

function membersOf(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== names.join()) {
    throw damaged(`expected the members ${names.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

function readHashes(value: unknown): Uint8Array[] {
  if (!Array.isArray(value) || value.length > 63) throw damaged('hashes');
  return value.map((text) => {
    const hash = typeof text === 'string' ? fromBase64(text) : undefined;
    if (hash?.length !== 32) throw damaged('hashes');
    return hash;
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function damaged(what: string, cause?: unknown): BundleError {
  return new BundleError('BUNDLE_DAMAGED', what, cause === undefined ? undefined : { cause });
}
