import type { IncomingHttpHeaders } from 'node:http';

/** For the documentation of the API. */
export const preferHeader = {
  Prefer:
    '`chained` (RFC 7240): a service with a queue in front of the chain chains these events before it answers, instead of putting ' +
    'them into the queue. The answer has receipts then, and the header `Preference-Applied: chained`',
};

/**
 * Whether the client prefers `chained`. A preference that the service does not know is ignored, as RFC 7240 requires.
 *
 * A comma inside a quoted value counts as a separator here. At worst the client gets more than it asked for.
 */
export function prefersChained({ prefer }: IncomingHttpHeaders): boolean {
  if (prefer === undefined) return false;
  const preferences = String(prefer).split(',');
  return preferences.some((preference) => preference.split(';', 1)[0]!.trim().toLowerCase() === 'chained');
}
