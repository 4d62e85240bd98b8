import { ServerError } from '../errors.ts';
import { sqlState } from '../store/database.ts';
import type { BatchItem } from './batch.ts';
import { toDeadLetter } from './dead-letters.ts';

/** Deadlock, serialization failure, lock time-out, terminated by an administrator or by a successor's reaper. */
const retriedStates = new Set(['40P01', '40001', '55P03', '57P01']);

/** Why a failed transaction should be tried again; `undefined` if trying again would not help. */
export function retryReason(error: unknown): string | undefined {
  if (error instanceof ServerError) return error.code === 'STORE_UNAVAILABLE' ? error.code : undefined;
  const state = sqlState(error);
  return state !== undefined && retriedStates.has(state) ? state : undefined;
}

/** The error after the last attempt. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof ServerError) return error;
  return new ServerError('STORE_UNAVAILABLE', 'the store could not take the batch', { cause: error });
}

/** Whether the store is unavailable to everyone, as opposed to a lock that one tenant's batch did not get. */
export function isStoreGone(error: unknown): boolean {
  if (!(error instanceof ServerError)) return false;
  if (error.code === 'STORE_FULL') return true;
  if (error.code !== 'STORE_UNAVAILABLE') return false;
  return !retriedStates.has(sqlState(error.cause) ?? '');
}

/** Tenants whose chains cannot be extended until the clock of the store is corrected. */
export function tenantsAhead(error: unknown): ReadonlySet<unknown> {
  const isBehind = error instanceof ServerError && error.code === 'CLOCK_BEHIND_CHAIN';
  return new Set(isBehind ? (error.details.tenant_ids as readonly string[]) : []);
}

/** Whether the store refuses the content of an event (data exceptions, constraints, limits) and not the transaction. */
export function isContentError(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (/^(22|54)/.test(state) || (state.startsWith('23') && state !== '23505'));
}

/** An event that passed admission but that the store cannot hold becomes a dead letter, so that others can pass. */
export function refusedByStore(item: BatchItem, error: unknown): BatchItem {
  if ('deadLetter' in item) throw error;
  const violations = [
    { code: 'STORE_REFUSED', pointer: '', message: `the store refused the event (${sqlState(error)})` },
  ];
  return { deadLetter: toDeadLetter(item.canonical, item.ingest, violations), ingest: item.ingest };
}
