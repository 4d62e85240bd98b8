import { limits } from '@tallystick/event';
import { isPlainName } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';

/**
 * A subject is compared and shown. Groups of logins, and principals that have no subject, have names with a prefix of their own.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function assertSubjectName(text: string): void {
  const isName = text.length <= limits.maxIdentifierLength && isPlainName(text);
  if (isName && !/^(?:group|key|login):/.test(text)) return;
  throw new ServerError(
    'PARAMETER_INVALID',
    'subject must have 1 to 512 characters, none of them invisible and none of the ends white space; in Unicode NFC; and must not begin with group:, key: or login:',
    { details: { parameter: 'subject' } },
  );
}
