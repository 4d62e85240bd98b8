import { tenantIdPattern } from '@tallystick/event';
import { fromBase64, parseDecimal, toBase64 } from './bytes.ts';
import { LogError } from './errors.ts';

/** Checkpoints (C2SP tlog-checkpoint): the text that a log signs to say what it holds. */

export interface Checkpoint {
  readonly origin: string;
  /** Leaves in the tree: last sequence number + 1. */
  readonly size: number;
  /** RFC 6962 Merkle tree hash, 32 bytes. */
  readonly root: Uint8Array;
}

/** The text of a checkpoint, to be signed as a note. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/**
 * Reads a checkpoint's text. Extension lines are refused: this log writes none, and what it does not understand it
 * does not vouch for.
 *
 * @throws {LogError} `CHECKPOINT_MALFORMED`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin, sizeText, rootText] = lines;
  const size = parseDecimal(sizeText ?? '');
  const root = fromBase64(rootText ?? '');
  if (lines.length !== 4 || lines[3] !== '' || origin === '' || size === undefined || root?.length !== 32) {
    throw new LogError('CHECKPOINT_MALFORMED', 'malformed checkpoint: expected origin, size and root');
  }
  return { origin: origin!, size, root };
}

/** A log's name: a schema-less URL, as C2SP recommends for key names. */
export const logNamePattern = /^[a-z0-9](?:[a-z0-9._/-]{0,126}[a-z0-9])?$/;

/** What the first line of a checkpoint names: installation, tenant and epoch. */
export interface Origin {
  /** Name of the installation, for example `audit.example.com`. */
  readonly logName: string;
  readonly tenantId: string;
  /** 1, and one more after each recovery. */
  readonly epoch: number;
}

/**
 * The origin of one tenant's log, `<log name>/<tenant id>/<epoch>`, also its key name: so one signing key yields a
 * verifier key of its own for each tenant, and a checkpoint of one can't pass for another's.
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
    throw new LogError('CHECKPOINT_MALFORMED', 'malformed origin: <log name>/<tenant id>/<epoch>');
  }
  return `${origin.logName}/${origin.tenantId}/${origin.epoch}`;
}

/**
 * @throws {LogError} `CHECKPOINT_MALFORMED`
 */
export function parseOrigin(text: string): Origin {
  const parts = text.split('/');
  const epoch = parseDecimal(parts.at(-1) ?? '') ?? 0;
  const origin = { logName: parts.slice(0, -2).join('/'), tenantId: parts.at(-2) ?? '', epoch };
  formatOrigin(origin);
  return origin;
}
