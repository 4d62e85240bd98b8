import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ServerError } from '../errors.ts';

/** The position of a record in a tenant's chain. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * A cursor says where the next page of a list begins. Clients treat it as opaque: base64url of `[version, digest, …place]`.
 * `digest` is a hash of the request, so a cursor that is used with other filters, another order or another tenant is
 * refused. Cursors are not signed: a forged cursor shows nothing that another request would not show. Clients control every part
 * of a cursor, so each list checks the place before it reaches the database.
 */
const version = 1;

/**
 * @param request what identifies the list: a page of another list must not continue from this cursor
 * @param place where the next page begins
 */
export function encodeCursor(request: unknown, place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([version, digest(request), ...place])).toString('base64url');
}

/**
 * @param place what a place of this list consists of
 * @returns the place that was encoded
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function decodeCursor<T>(cursor: string, request: unknown, place: z.ZodType<T>): T {
  let value: unknown;
  try {
    if (cursor.length > 1_024 || !/^[\w-]+$/.test(cursor)) throw new TypeError('not base64url');
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalidCursor('was not made by this service');
  }
  if (!Array.isArray(value) || value[0] !== version) throw invalidCursor('was not made by this service');
  if (value[1] !== digest(request)) throw invalidCursor('belongs to a request with other parameters');
  const result = place.safeParse(value.slice(2));
  if (!result.success) throw invalidCursor('was not made by this service');
  return result.data;
}

const positionPlace = z.tuple([z.int().min(1).max(0x7fffffff), z.int().min(0)]);

export function encodePosition(request: unknown, position: Position): string {
  return encodeCursor(request, [position.epoch, position.sequence]);
}

/**
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function decodePosition(cursor: string, request: unknown): Position {
  const [epoch, sequence] = decodeCursor(cursor, request, positionPlace);
  return { epoch, sequence };
}

function invalidCursor(what: string): ServerError {
  return new ServerError('PARAMETER_INVALID', `the cursor ${what}`, { details: { parameter: 'cursor' } });
}

/** Independent of the order of members. Members that are undefined count as absent. */
function digest(request: unknown): string {
  const text = JSON.stringify(request, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
