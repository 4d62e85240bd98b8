import { decodeUtf8, parseStrictJson } from '@tallystick/event';
import {
  equalBytes,
  formatVerifierKey,
  fromBase64,
  fromHex,
  type KeyRotation,
  LogError,
  parseOrigin,
  parseVerifierKey,
  rotationFromJson,
} from '@tallystick/log';
import { BundleError, damaged } from './bundle-error.ts';

/** A line of a bundle, in the order of the file (spec/bundle.md). */
export type BundleEntry =
  | ({ readonly kind: 'header' } & BundleHeader)
  | { readonly kind: 'checkpoint'; readonly note: string }
  | {
      readonly kind: 'consistency';
      readonly from: number;
      readonly to: number;
      readonly hashes: readonly Uint8Array[];
    }
  /** A verifier key, for people. A verifier never trusts keys from the file. */
  | { readonly kind: 'key'; readonly key: string }
  /** The record's bytes, verbatim, as text. */
  | { readonly kind: 'record'; readonly text: string }
  | { readonly kind: 'proof'; readonly index: number; readonly hashes: readonly Uint8Array[] }
  /** A rotation of the log's key. */
  | { readonly kind: 'rotation'; readonly rotation: KeyRotation }
  /** The records that follow are those of a closed epoch. */
  | { readonly kind: 'closed'; readonly epoch: number };

/** What a bundle claims to contain. The verifier believes none of it before it has checked the records. */
export interface BundleHeader {
  /** From 2 on the file may have records of closed epochs too, and from 3 on rotations of the key. */
  readonly version: 1 | 2 | 3;
  readonly tenantId: string;
  readonly origin: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  /** Whether the bundle contains a whole chain. Otherwise each record comes with its own proof. */
  readonly complete: boolean;
}

/** Reads the header's object. */
export function readHeader(value: Record<string, unknown>): BundleHeader {
  const version = value.tallystick_bundle;
  if (Number.isInteger(version) && version !== 1 && version !== 2 && version !== 3) {
    throw new BundleError('BUNDLE_UNSUPPORTED', `bundle format ${version} is not known to this version`);
  }
  const { tenant_id, origin, epoch, first, last, complete } = value;
  const members = 'complete,epoch,first,last,origin,tallystick_bundle,tenant_id';
  if (
    (version !== 1 && version !== 2 && version !== 3) ||
    Object.keys(value).sort().join() !== members ||
    typeof complete !== 'boolean'
  )
    throw damaged('the header is malformed');
  if (version === 2 && !complete) throw damaged('a part has no closed epochs');
  if (!isCount(first) || !isCount(last) || first > last || (complete && first !== 0))
    throw damaged('the header has a malformed range: first, last');
  try {
    if (typeof origin !== 'string') throw damaged('the origin is not text');
    const named = parseOrigin(origin);
    if (named.tenantId !== tenant_id || named.epoch !== epoch)
      throw damaged('the header contradicts its origin');
  } catch (cause) {
    throw cause instanceof BundleError ? cause : damaged('the header has a malformed origin', cause);
  }
  return {
    version,
    tenantId: tenant_id as string,
    origin: origin as string,
    epoch: epoch as number,
    first,
    last,
    complete,
  };
}

/** Reads a line that is neither header, record nor end. */
export function readEntry(kind: string, value: unknown): BundleEntry {
  if (kind === 'checkpoint') {
    if (typeof value !== 'string') throw damaged('a checkpoint line is not text');
    return { kind, note: value };
  }
  if (kind === 'key') {
    if (!isVerifierKey(value)) throw damaged('a key line is malformed');
    return { kind, key: value };
  }
  const object = membersOf(value, kind === 'proof' ? ['hashes', 'index'] : ['from', 'hashes', 'to']);
  const hashes = readHashes(object.hashes);
  if (kind === 'proof') {
    if (!isCount(object.index)) throw damaged('a proof line has a malformed index');
    return { kind, index: object.index, hashes };
  }
  const { from, to } = object;
  if (!isCount(from) || !isCount(to) || from < 1 || from > to)
    throw damaged('a consistency line has a malformed range: from, to');
  return { kind: 'consistency', from, to, hashes };
}

/**
 * Reads the line before the records of a closed epoch.
 *
 * @param before the epoch that comes before it in the file, which is newer
 */
export function readClosed(
  value: unknown,
  { origin }: BundleHeader,
  before: number,
): Extract<BundleEntry, { kind: 'closed' }> {
  const own = parseOrigin(origin);
  try {
    if (typeof value !== 'string') throw damaged('a closed line is not text');
    const { logName, tenantId, epoch } = parseOrigin(value);
    if (logName !== own.logName || tenantId !== own.tenantId || epoch >= before)
      throw damaged('a closed line names another chain, or an epoch out of order');
    return { kind: 'closed', epoch };
  } catch (cause) {
    throw cause instanceof BundleError ? cause : damaged('a closed line has a malformed origin', cause);
  }
}

/**
 * Reads a rotation of the log's key.
 *
 * @param before the rotation before it in the file: the keys form one chain
 */
export function readRotationLine(
  value: unknown,
  { origin }: BundleHeader,
  before: KeyRotation | undefined,
): KeyRotation {
  let rotation: KeyRotation;
  try {
    rotation = rotationFromJson(value);
  } catch (cause) {
    if (cause instanceof LogError) throw damaged('a rotation line is malformed', cause);
    throw cause;
  }
  if (rotation.logName !== parseOrigin(origin).logName) throw damaged('a rotation line is of another log');
  if (before !== undefined && !equalBytes(before.newKey.publicKey, rotation.oldKey.publicKey))
    throw damaged('a rotation line does not follow the one before it');
  return rotation;
}

/** Compares the end line with what was read. */
export function checkEnd(value: unknown, seen: { records: number; lines: number; sha256: Uint8Array }): void {
  const end = membersOf(value, ['lines', 'records', 'sha256']);
  const sha256 = typeof end.sha256 === 'string' ? fromHex(end.sha256) : undefined;
  if (sha256?.length !== 32) throw damaged('the end line has a malformed sha256');
  if (!equalBytes(sha256, seen.sha256)) throw damaged('the sha256 of the end line does not match the bytes');
  if (end.records !== seen.records || end.lines !== seen.lines)
    throw damaged('the counts of the end line do not match the lines');
}

/** Reads a line as one strict JSON object. */
export function parseLine(line: Uint8Array): Record<string, unknown> {
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

/** Reads the bytes of a record. */
export function readText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw damaged('a record is not UTF-8', cause);
  }
}

/** The one member of a line's object: its kind and its value. */
export function soleMember(object: Record<string, unknown>): [string, unknown] {
  const entries = Object.entries(object);
  if (entries.length !== 1) throw damaged('a line must have exactly one member');
  return entries[0]!;
}

/** Whether a text is a verifier key without anything around it. */
function isVerifierKey(value: unknown): value is string {
  try {
    return typeof value === 'string' && formatVerifierKey(parseVerifierKey(value)) === value;
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

function membersOf(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== names.join()) {
    throw damaged(`a line must have the members ${names.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

function readHashes(value: unknown): Uint8Array[] {
  if (!Array.isArray(value) || value.length > 63) throw damaged('the hashes of a proof are malformed');
  return value.map((text) => {
    const hash = typeof text === 'string' ? fromBase64(text) : undefined;
    if (hash?.length !== 32) throw damaged('the hashes of a proof are malformed');
    return hash;
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
