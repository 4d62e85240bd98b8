import { sha256 } from '#sha256';
import { concatBytes, equalBytes, fromBase64, fromHex, toBase64, toHex } from './bytes.ts';
import { type SigningKey, verifySignature } from './ed25519.ts';
import { LogError } from './errors.ts';

const maxNoteBytes = 1 << 20;
const maxSignatures = 100;
const ed25519Type = 1;
const encoder = new TextEncoder();

/** A public key, with the name under which it signs. */
export interface Verifier {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
  readonly keyId: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** One signature line of a note: key name, key id (4 bytes) and signature. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A signed note (C2SP signed-note): a text, an empty line and signature lines. It is parsed and not verified. */
export interface Note {
  /** The signed text, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+\p{Z}\p{Cc}]/u.test(name);
}

/** Makes the verifier of an Ed25519 public key under a key name. */
export function createVerifier(name: string, publicKey: Uint8Array): Verifier {
  if (!isKeyName(name) || publicKey.length !== 32)
    throw new LogError('KEY_MALFORMED', 'malformed key name or key');
  const keyId = sha256(concatBytes(encoder.encode(`${name}\n`), Uint8Array.of(ed25519Type), publicKey)).slice(
    0,
    4,
  );
  return { name, keyId, publicKey };
}

/** The verifier key string, `<name>+<key id, hex>+<base64>`, which a log publishes for verifiers. */
export function formatVerifierKey(verifier: Verifier): string {
  const material = concatBytes(Uint8Array.of(ed25519Type), verifier.publicKey);
  return `${verifier.name}+${toHex(verifier.keyId)}+${toBase64(material)}`;
}

/**
 * Reads a verifier key string. White space around it is ignored.
 *
 * @throws {LogError} `KEY_MALFORMED` for a string that is not an Ed25519 verifier key, or whose key id does not match
 */
export function parseVerifierKey(text: string): Verifier {
  const [name, id, encoded, ...rest] = text.trim().split('+');
  // Base64 can contain plus signs.
  const material = fromBase64([encoded, ...rest].join('+'));
  const keyId = fromHex(id ?? '');
  if (name === undefined || material?.length !== 33 || material[0] !== ed25519Type || keyId?.length !== 4) {
    throw new LogError('KEY_MALFORMED', 'malformed verifier key: expected <name>+<8 hex digits>+<base64>');
  }
  const verifier = createVerifier(name, material.slice(1));
  if (!equalBytes(verifier.keyId, keyId))
    throw new LogError('KEY_MALFORMED', 'the key id does not match the key');
  return verifier;
}

/** Signs a text under the given key names. The text must end in a newline. */
export async function signNote(
  text: string,
  signers: readonly { readonly name: string; readonly key: SigningKey }[],
): Promise<string> {
  const signatures: NoteSignature[] = [];
  for (const { name, key } of signers) {
    const { keyId } = createVerifier(name, key.publicKey);
    signatures.push({ name, keyId, signature: await key.sign(encoder.encode(text)) });
  }
  return formatNote({ text, signatures });
}

/**
 * Writes a note from its text and its signatures. It checks no signature.
 *
 * @throws {LogError} `NOTE_MALFORMED` for a text that no note can have
 */
export function formatNote({ text, signatures }: Note): string {
  checkText(text);
  const lines = signatures.map(
    ({ name, keyId, signature }) => `— ${name} ${toBase64(concatBytes(keyId, signature))}\n`,
  );
  return `${text}\n${lines.join('')}`;
}

/**
 * Parses a note. It checks no signature.
 *
 * @throws {LogError} `NOTE_MALFORMED`
 */
export function parseNote(note: string): Note {
  if (note.length > maxNoteBytes || encoder.encode(note).length > maxNoteBytes)
    throw malformed('it is too long');
  if (!note.isWellFormed()) throw malformed('it contains a lone surrogate');
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw malformed('it has no signatures');
  const text = note.slice(0, split + 1);
  checkText(text);
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > maxSignatures) throw malformed('it has too many signatures');
  const signatures = lines.map((line) => {
    const match = /^— (\S+) (\S+)$/.exec(line);
    const bytes = fromBase64(match?.[2] ?? '');
    if (match === null || !isKeyName(match[1]!) || bytes === undefined || bytes.length < 5) {
      throw malformed('a signature line is malformed');
    }
    return { name: match[1]!, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
  });
  return { text, signatures };
}

/**
 * Verifies a note. At least one signature must be by a known key, and every signature by a known key must verify. Signatures
 * by unknown keys are ignored, as the specification requires.
 *
 * @returns the text, and the verifiers whose signatures were checked
 * @throws {LogError} `NOTE_MALFORMED`, `SIGNATURE_INVALID`, or `NOTE_UNVERIFIED` where no known key signed it
 */
export async function openNote(
  note: string,
  verifiers: readonly Verifier[],
): Promise<{ readonly text: string; readonly verifiedBy: readonly Verifier[] }> {
  const { text, signatures } = parseNote(note);
  const message = encoder.encode(text);
  const verifiedBy: Verifier[] = [];
  for (const { name, keyId, signature } of signatures) {
    const verifier = verifiers.find((known) => known.name === name && equalBytes(known.keyId, keyId));
    if (verifier === undefined) continue;
    if (!(await verifySignature(verifier.publicKey, message, signature))) {
      throw new LogError('SIGNATURE_INVALID', `the signature by ${name} does not verify`);
    }
    if (!verifiedBy.includes(verifier)) verifiedBy.push(verifier);
  }
  if (verifiedBy.length === 0) throw new LogError('NOTE_UNVERIFIED', 'no known key signed the note');
  return { text, verifiedBy };
}

function checkText(text: string): void {
  if (!text.endsWith('\n') || hasControlCharacter(text) || !text.isWellFormed()) {
    throw malformed('the text must end in a newline, and contain no other control character');
  }
}

function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 && unit !== 0x0a) return true;
  }
  return false;
}

function malformed(what: string): LogError {
  return new LogError('NOTE_MALFORMED', `malformed note: ${what}`);
}
