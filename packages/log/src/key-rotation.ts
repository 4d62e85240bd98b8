import { sha256 } from '#sha256';
import { equalBytes, fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { type Checkpoint, formatCheckpoint, logNamePattern } from './checkpoint.ts';
import { LogError } from './errors.ts';
import { formatVerifierKey, openNote, parseNote, parseVerifierKey, type Verifier } from './note.ts';
import { leafHash } from './tree/hash.ts';
import { verifyInclusion } from './tree/proof.ts';

/** First line of a rotation's text. No checkpoint begins with it, so neither can be taken for the other. */
const title = 'tallystick/key-rotation/v1';

/** What the text of a rotation says (spec/log.md, "Key rotation"). */
export interface RotationStatement {
  readonly logName: string;
  /** The keys under the name of the log. Each tenant's log has the same two keys under its origin. */
  readonly oldKey: Verifier;
  readonly newKey: Verifier;
  /** RFC 3339 UTC with milliseconds. */
  readonly rotatedAt: string;
  /** Number of logs for which the old key had signed a checkpoint. */
  readonly logs: number;
  /** Root of the tree over the last of these checkpoints, 32 bytes: see {@link rotationLeaf}. */
  readonly root: Uint8Array;
}

/** The last checkpoint that an old key signed for one log, with the proof that the rotation names it. */
export interface LastUnderKey {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Index of the checkpoint among the leaves of the rotation's tree. */
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
}

/** A rotation as the log serves it for one of its tenants' logs. None of it is verified. */
export interface RotationEvidence {
  /** The statement as a note, signed by the old and the new key. */
  readonly statement: string;
  /** Absent where the old key signed no checkpoint of this log. */
  readonly last?: LastUnderKey | undefined;
}

/** A rotation whose form was checked, and no signature. */
export type KeyRotation = RotationStatement & RotationEvidence;

/** The text of a rotation. Both keys sign it as a note. */
export function formatRotation(rotation: RotationStatement): string {
  const { logName, oldKey, newKey, rotatedAt, logs, root } = rotation;
  return [
    title,
    logName,
    `old ${formatVerifierKey(oldKey)}`,
    `new ${formatVerifierKey(newKey)}`,
    `at ${rotatedAt}`,
    `logs ${logs} ${toBase64(root)}`,
    '',
  ].join('\n');
}

/**
 * Reads the text of a rotation. The only texts that it reads are those that {@link formatRotation} writes.
 *
 * @throws {LogError} `ROTATION_MALFORMED`
 */
export function parseRotation(text: string): RotationStatement {
  const [first, logName = '', oldLine = '', newLine = '', atLine = '', logsLine = ''] = text.split('\n');
  const [logsText = '', rootText = ''] = after('logs', logsLine).split(' ');
  const [logs, root] = [parseDecimal(logsText), fromBase64(rootText)];
  const rotatedAt = after('at', atLine);
  if (first !== title || !logNamePattern.test(logName)) throw malformed('it is of another kind');
  if (logs === undefined || root?.length !== 32 || !isTime(rotatedAt)) throw malformed('a line is malformed');
  const [oldKey, newKey] = [readKey(after('old', oldLine)), readKey(after('new', newLine))];
  if (oldKey.name !== logName || newKey.name !== logName || equalBytes(oldKey.publicKey, newKey.publicKey))
    throw malformed('its keys are not two keys of the log');
  const rotation = { logName, oldKey, newKey, rotatedAt, logs, root };
  if (formatRotation(rotation) !== text) throw malformed('it has more than its lines');
  return rotation;
}

/**
 * Reads a rotation for a log. It checks no signature.
 *
 * @throws {LogError} `NOTE_MALFORMED`, `ROTATION_MALFORMED`
 */
export function readRotation(evidence: RotationEvidence): KeyRotation {
  return { ...parseRotation(parseNote(evidence.statement).text), ...evidence };
}

/**
 * Verifies both signatures of a rotation: the old key hands over, and the new key agrees. Without the second one, anybody could
 * be made the successor of a key.
 *
 * @throws {LogError} `SIGNATURE_INVALID`; `NOTE_UNVERIFIED` where one of the two did not sign
 */
export async function openRotation({ statement, oldKey, newKey }: KeyRotation): Promise<void> {
  const { verifiedBy } = await openNote(statement, [oldKey, newKey]);
  if (verifiedBy.length < 2) throw new LogError('NOTE_UNVERIFIED', 'the old and the new key must both sign');
}

/** The leaf of a checkpoint in the tree of a rotation: the leaf data is the SHA-256 of its text. */
export function rotationLeaf(checkpoint: Checkpoint): Uint8Array {
  return leafHash(sha256(formatCheckpoint(checkpoint)));
}

/**
 * Verifies that the rotation names the last checkpoint that the old key signed for a log.
 *
 * @returns the checkpoint; `undefined` where the old key signed none
 * @throws {LogError} `PROOF_INVALID`, `TREE_RANGE`
 */
export function verifyLastUnderKey(rotation: KeyRotation, origin: string): Checkpoint | undefined {
  const { last, logs, root } = rotation;
  if (last === undefined) return undefined;
  const checkpoint = { origin, size: last.size, root: last.root };
  verifyInclusion(last.index, logs, rotationLeaf(checkpoint), last.hashes, root);
  return checkpoint;
}

/** A rotation as JSON: in bundles, in the API and in what a verifier keeps. */
export interface RotationJson {
  readonly statement: string;
  readonly last?:
    | {
        readonly size: number;
        readonly root: string;
        readonly index: number;
        readonly hashes: readonly string[];
      }
    | undefined;
}

/** The JSON form of a rotation, as bundles and the service's list of keys contain it. */
export function rotationToJson({ statement, last }: RotationEvidence): RotationJson {
  if (last === undefined) return { statement };
  const { size, root, index, hashes } = last;
  return { statement, last: { size, root: toBase64(root), index, hashes: hashes.map(toBase64) } };
}

/**
 * Reads a rotation that another party wrote. It checks no signature.
 *
 * @throws {LogError} `NOTE_MALFORMED`, `ROTATION_MALFORMED`
 */
export function rotationFromJson(value: unknown): KeyRotation {
  const { statement, last } = membersOf(value, ['statement'], ['last']);
  if (typeof statement !== 'string') throw malformed('the statement is not text');
  return readRotation(last === undefined ? { statement } : { statement, last: readLast(last) });
}

function readLast(value: unknown): LastUnderKey {
  const { size, root, index, hashes } = membersOf(value, ['hashes', 'index', 'root', 'size'], []);
  if (!isCount(size) || size === 0 || !isCount(index) || !Array.isArray(hashes) || hashes.length > 63)
    throw malformed('the last checkpoint is malformed');
  return { size, root: readHash(root), index, hashes: hashes.map(readHash) };
}

function readHash(text: unknown): Uint8Array {
  const hash = typeof text === 'string' ? fromBase64(text) : undefined;
  if (hash?.length !== 32) throw malformed('a hash is malformed');
  return hash;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function membersOf(
  value: unknown,
  required: readonly string[],
  optional: readonly string[],
): { readonly [name: string]: unknown } {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const names = isObject ? Object.keys(value) : [];
  const isKnown = names.every((name) => required.includes(name) || optional.includes(name));
  if (!isObject || !isKnown || !required.every((name) => Object.hasOwn(value, name)))
    throw malformed('a member is missing or unknown');
  return value as { readonly [name: string]: unknown };
}

function after(name: string, line: string): string {
  return line.startsWith(`${name} `) ? line.slice(name.length + 1) : '';
}

function readKey(text: string): Verifier {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    throw malformed('a key is malformed', cause);
  }
}

function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false;
  const time = Date.parse(text);
  return Number.isFinite(time) && new Date(time).toISOString() === text;
}

function malformed(what: string, cause?: unknown): LogError {
  return new LogError(
    'ROTATION_MALFORMED',
    `malformed key rotation: ${what}`,
    cause === undefined ? undefined : { cause },
  );
}
