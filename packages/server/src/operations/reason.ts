import { ServerError } from '../errors.ts';

/**
 * Checks a reason that becomes a permanent part of a chain.
 *
 * @throws {ServerError} `PARAMETER_INVALID`
 */
export function assertReason(reason: string): void {
  const valid =
    reason.trim() !== '' && reason.length <= 500 && reason.isWellFormed() && !/\p{Cc}/u.test(reason);
  if (valid) return;
  throw new ServerError('PARAMETER_INVALID', 'the reason must be one line of 1 to 500 characters', {
    details: { parameter: 'reason' },
  });
}
