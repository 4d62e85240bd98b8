import { tenantIdPattern } from '@tallystick/event';
import { fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { LogError } from './errors.ts';

/** A checkpoint (C2SP tlog-checkpoint): what a log contains. The log signs its text. */
export interface Checkpoint {
  readonly origin: string;
  /** Number of leaves in the tree: last sequence number + 1. */
  readonly size: number;
  /** RFC 6962 Merkle tree hash, 32 bytes. */
  readonly root: Uint8Array;
}

/** The text of a checkpoint. The signer signs it as a note. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/**
 * Reads a checkpoint's text. Extension lines are refused: this log writes no such lines, and does not sign what it cannot
 * interpret.
 *
 * @throws {LogError} `CHECKPOINT_MALFORMED`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin, sizeText, rootText] = lines;
  const size = parseDecimal(sizeText ?? '');
  const root = fromBase64(rootText ?? '');
  if (lines.length !== 4 || lines[3] !== '' || origin === '' || size === undefined || root?.length !== 32) {
    throw new LogError(
      'CHECKPOINT_MALFORMED',
      'malformed checkpoint: expected three lines with origin, size and root',
    );
  }
  return { origin: origin!, size, root };
}

/** A log's name: a URL without its scheme, as C2SP recommends for key names. */
export const logNamePattern = /^[a-z0-9](?:[a-z0-9._/-]{0,126}[a-z0-9])?$/;

/** The parts of an origin, the first line of a checkpoint: installation, tenant and epoch. */
export interface Origin {
  /** Name of the installation, for example `audit.example.com`. */
  readonly logName: string;
  readonly tenantId: string;
  /** 1 at first. Each recovery opens a higher epoch. */
  readonly epoch: number;
}

/**
 * The origin of one tenant's log, `<log name>/<tenant id>/<epoch>`. It is also the key name, so each tenant has a verifier
 * key of its own although there is one signing key, and a checkpoint of one tenant does not verify for another.
 *
 * @throws {LogError} `CHECKPOINT_MALFORMED` where a part is malformed
 */
export function formatOrigin(origin: Origin): string {
  if (
    !logNamePattern.test(origin.logName) ||
    !tenantIdPattern.test(origin.tenantId) ||
    !Number.isSafeInteger(origin.epoch) ||
    origin.epoch < 1
  ) {
    throw new LogError('CHECKPOINT_MALFORMED', 'malformed origin: expected <log name>/<tenant id>/<epoch>');
  }
  return `${origin.logName}/${origin.tenantId}/${origin.epoch}`;
}

/**
 * Reads an origin.
 *
 * @throws {LogError} `CHECKPOINT_MALFORMED`
 */
export function parseOrigin(text: string): Origin {
  const parts = text.split('/');
  const epoch = parseDecimal(parts.at(-1) ?? '') ?? 0;
  const origin = { logName: parts.slice(0, -2).join('/'), tenantId: parts.at(-2) ?? '', epoch };
  formatOrigin(origin);
  return origin;
}
