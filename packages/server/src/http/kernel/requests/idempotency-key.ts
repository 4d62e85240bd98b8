import type { IncomingHttpHeaders } from 'node:http';
import { HttpProblem } from '../problems.ts';

/** For the documentation of the API. */
export const idempotencyKeyHeader = {
  'Idempotency-Key':
    'A value that is unique to this request, of 1 to 255 visible ASCII characters, such as a UUID. The service then fills ' +
    '`audit_id` and `timestamp` where an event lacks them, and uses the same ones for a retry with the same key and the same ' +
    'body within seven days. The same key with another body is answered with 422 (draft-ietf-httpapi-idempotency-key-header)',
};

/** A structured field string (RFC 8941, section 3.3.3), as the draft has it. */
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"$/;
/** The value as people write it by hand. */
const bare = /^[\x21\x23-\x2b\x2d-\x7e]{1,255}$/;

/**
 * The key of a request, or undefined if the header is absent. A client may write it with or without quotes.
 *
 * @throws {HttpProblem} `IDEMPOTENCY_KEY_INVALID`
 */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['idempotency-key'];
  if (value === undefined) return undefined;
  const text = String(value).trim();
  const string = quoted.exec(text)?.[1]?.replace(/\\(["\\])/g, '$1');
  const key = string ?? (bare.test(text) ? text : undefined);
  if (key !== undefined) return key;
  throw new HttpProblem(
    'IDEMPOTENCY_KEY_INVALID',
    'the header Idempotency-Key must be one value of 1 to 255 visible ASCII characters, such as a UUID',
  );
}
