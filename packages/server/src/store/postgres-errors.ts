import { ServerError } from '../errors.ts';
import { sqlState } from './database.ts';

/** Error codes of a lost connection. They say nothing about the statement that ran on it. */
const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

/** `read_only_sql_transaction`: a standby, or a database that its operator or a full disk has made read-only. */
const readOnlyState = '25006';

/**
 * SQLSTATEs after which nothing is committed and the same transaction can succeed later: connection exceptions; out of
 * resources; errors of the operating system; canceled, or terminated by an administrator, a crash, a shutdown or a time-out;
 * terminated by the server because this process sat idle in the transaction; read-only.
 */
const lostStates = /^(?:08|53|57014|57P|58|25P03|25P04|25006)/;

/** Whether the server refused to write because it, the database or the session is read-only. */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === readOnlyState;
}

/**
 * Turns the error of a lost connection, or of a store that can't be used for now, into `STORE_UNAVAILABLE`; returns every other error as it is.
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
  const message = state === readOnlyState ? 'the store is read-only' : 'the store is unavailable';
  return new ServerError('STORE_UNAVAILABLE', message, {
    cause: error,
    details: { sqlState: state, ...(committing && { outcome: 'unknown' }) },
  });
}

/** Deadlock, serialization failure, or a lock that was not free in time: the same transaction can succeed a moment later. */
export function isContention(error: unknown): boolean {
  return ['40P01', '40001', '55P03'].includes(sqlState(error) ?? '');
}
