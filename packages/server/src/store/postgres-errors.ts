import { ServerError } from '../errors.ts';
import { sqlState } from './database.ts';

/** Error codes of a lost connection. They say nothing about the statement that ran on it. */
const connectionErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'ENOENT']);

/**
 * SQLSTATEs after which nothing is committed: connection exceptions; out of resources; terminated by an administrator, a
 * crash or a shutdown; terminated by the server because this process sat idle in the transaction.
 */
const lostStates = /^(?:08|53|57P|25P03|25P04)/;

/**
 * Turns the error of a lost connection into `STORE_UNAVAILABLE`; returns every other error as it is.
 *
 * @param committing whether the commit had been sent, so that it may or may not have happened
 */
export function asUnavailable(error: unknown, committing: boolean): unknown {
  if (error instanceof ServerError || !(error instanceof Error)) return error;
  const state = sqlState(error);
  const isLost =
    state === undefined
      ? connectionErrors.has((error as { code?: string }).code ?? '') ||
        /Connection terminated|not queryable/.test(error.message)
      : lostStates.test(state);
  if (!isLost) return error;
  return new ServerError('STORE_UNAVAILABLE', 'the store is unavailable', {
    cause: error,
    details: { sqlState: state, ...(committing && { outcome: 'unknown' }) },
  });
}
