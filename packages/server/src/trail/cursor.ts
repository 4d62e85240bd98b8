import { createHash } from 'node:crypto';
import { ServerError } from '../errors.ts';

/** A place in a tenant's chain. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * Cursors are opaque to clients: base64url of `[version, question, …place]`. `question` is a hash of what was asked, so
 * that a cursor used with other filters, another order or another tenant is refused instead of giving a page of
 * nonsense. It is not a secret and needs none: a forged cursor shows nothing that another request would not.
 */
const version = 1;

export function encodeCursor(question: unknown, place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([version, digest(question), ...place])).toString('base64url');
}

/**
 * @returns the place that was encoded
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function decodeCursor(cursor: string, question: unknown): unknown[] {
  let value: unknown;
  try {
    if (cursor.length > 1_024 || !/^[\w-]+$/.test(cursor)) throw new TypeError('not base64url');
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalidCursor('is not one of this service');
  }
  if (!Array.isArray(value) || value[0] !== version) throw invalidCursor('is not one of this service');
  if (value[1] !== digest(question)) throw invalidCursor('belongs to a request with other parameters');
  return value.slice(2);
}

export function encodePosition(question: unknown, position: Position): string {
  return encodeCursor(question, [position.epoch, position.sequence]);
}

/**
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function decodePosition(cursor: string, question: unknown): Position {
  const [epoch, sequence] = decodeCursor(cursor, question);
  if (!isCount(epoch) || epoch < 1 || epoch > 0x7fffffff || !isCount(sequence)) {
    throw invalidCursor('is not one of this service');
  }
  return { epoch, sequence };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function invalidCursor(what: string): ServerError {
  return new ServerError('PARAMETER_INVALID', `the cursor ${what}`, { details: { parameter: 'cursor' } });
}

/** Members that are undefined don't count, nor does their order. */
function digest(question: unknown): string {
  const text = JSON.stringify(question, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
