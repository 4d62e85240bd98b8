import { decodeUtf8, parseStrictJson } from '@tallystick/event';
import { sha256 } from '#sha256';
import { equalBytes, toBase64 } from './bytes.ts';
import { parseCheckpoint, parseOrigin } from './checkpoint.ts';
import { LogError } from './errors.ts';
import { type KeyRotation, type RotationEvidence, rotationFromJson, rotationToJson } from './key-rotation.ts';
import { parseNote } from './note.ts';

/**
 * Key name of the lines of a receipt that carry rotations. They have the form of signatures, because every reader of notes ignores the
 * signatures that it does not know: a receipt with rotations is still a C2SP tlog-proof.
 */
const keyName = 'tallystick/key-rotation/v1';
/** A note has at most 100 signature lines and 1 MiB. A rotation has at most about 5 KB. */
const mostRotations = 50;

/**
 * Adds rotations to the checkpoint of a receipt, so that a reader who knows an older key of the log can check the receipt.
 *
 * @param note a signed checkpoint, verbatim
 * @param rotations oldest first; of more than 50, the newest are taken
 */
export function withRotations(note: string, rotations: readonly RotationEvidence[]): string {
  const lines = rotations.slice(-mostRotations).map((rotation) => {
    const json = new TextEncoder().encode(JSON.stringify(rotationToJson(rotation)));
    const line = new Uint8Array([...sha256(json).subarray(0, 4), ...json]);
    return `— ${keyName} ${toBase64(line)}\n`;
  });
  return `${note}${lines.join('')}`;
}

/**
 * Reads the rotations of a receipt's checkpoint. It checks no signature.
 *
 * @returns the checkpoint's note without them, and the rotations in their order
 * @throws {LogError} `NOTE_MALFORMED`, `CHECKPOINT_MALFORMED`; `ROTATION_MALFORMED`, also for a rotation of another log and for one whose
 *   old key is not the new key of the one before
 */
export function splitRotations(note: string): {
  readonly note: string;
  readonly rotations: readonly KeyRotation[];
} {
  const { text, signatures } = parseNote(note);
  const { logName } = parseOrigin(parseCheckpoint(text).origin);
  const lines = note.slice(text.length + 1).split('\n');
  const rotations: KeyRotation[] = [];
  const kept = signatures.flatMap(({ name, keyId, signature }, at) => {
    if (name !== keyName) return [`${lines[at]!}\n`];
    const rotation = readLine(keyId, signature);
    const before = rotations.at(-1)?.newKey.publicKey;
    if (rotation.logName !== logName) throw malformed('it is of another log');
    if (before !== undefined && !equalBytes(before, rotation.oldKey.publicKey))
      throw malformed('it does not follow the one before');
    rotations.push(rotation);
    return [];
  });
  return { note: `${text}\n${kept.join('')}`, rotations };
}

function readLine(keyId: Uint8Array, json: Uint8Array): KeyRotation {
  if (!equalBytes(sha256(json).subarray(0, 4), keyId))
    throw malformed('its key id is not that of its content');
  let value: unknown;
  try {
    value = parseStrictJson(decodeUtf8(json));
  } catch (cause) {
    throw new LogError('ROTATION_MALFORMED', 'malformed key rotation: it is not strict JSON', { cause });
  }
  return rotationFromJson(value);
}

function malformed(what: string): LogError {
  return new LogError('ROTATION_MALFORMED', `malformed key rotation in a receipt: ${what}`);
}
