import type { Reason } from '@tallystick/protocol';
import { isContentError, refusedByStore, tenantsAhead } from '../../../chain/append-errors.ts';
import type { BatchItem } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';
import { ServerError } from '../../../errors.ts';
import { sqlState } from '../../../store/database.ts';
import { stoppedChain } from '../../admit/admission.ts';
import type { PreparedMessage } from '../message/prepare-message.ts';
import type { PreparedRange } from './prepared-range.ts';

/**
 * What to store in place of a range that the store has refused because of its content: the range without the events of
 * chains that can't be extended now; two halves, to find the message that the store refuses; or that message as a dead letter.
 *
 * @param now the time by the clock of this process, ms since the epoch
 * @returns undefined if the content is not the reason: the same range may be tried again
 */
export function replaceRefused(
  range: PreparedRange,
  error: unknown,
  now: number,
): readonly PreparedRange[] | undefined {
  const { messages } = range;
  const waiting = waitingTenantsOf(error, now);
  if (waiting !== undefined && messages.some((message) => concerns(message, waiting.tenants))) {
    return [withoutTenants(range, waiting)];
  }
  if (!isContentError(error) || messages.length === 0) return undefined;
  if (messages.length > 1) return halves(range);
  const refused = refuseMessage(messages[0]!, error);
  return refused === undefined ? undefined : [{ ...range, messages: [refused] }];
}

/** Tenants whose chains can't be extended now, and the reason for their dead letters. */
interface WaitingTenants {
  readonly tenants: ReadonlySet<unknown>;
  readonly reason: Reason;
}

/** The tenants because of which a transaction failed; undefined if it failed for another reason. */
function waitingTenantsOf(error: unknown, now: number): WaitingTenants | undefined {
  if (isStoreClockWrong(error, now)) return undefined;
  const ahead = tenantsAhead(error);
  if (ahead.size > 0) return { tenants: ahead, reason: chainAhead };
  if (!(error instanceof ServerError) || error.code !== 'CHAIN_STOPPED') return undefined;
  const { tenant_id } = error.details;
  return typeof tenant_id === 'string' ? { tenants: new Set([tenant_id]), reason: stoppedChain } : undefined;
}

/** How far the store's clock may be behind the clock of this process before it counts as wrong, ms. */
const maxClockDifferenceMs = 5 * 60 * 1000;

/**
 * Whether chains are ahead because the store's clock went back: it is behind this process's clock too. Then every active chain is
 * ahead, and the partition waits until the clock is corrected: dead letters would lose the order of all of them.
 */
function isStoreClockWrong(error: unknown, now: number): boolean {
  if (!(error instanceof ServerError) || error.code !== 'CLOCK_BEHIND_CHAIN') return false;
  return now - Date.parse(String(error.details.clock)) > maxClockDifferenceMs;
}

/** An operator retries these dead letters once the clock of the database server is right. */
const chainAhead: Reason = Object.freeze({
  code: 'CLOCK_BEHIND_CHAIN',
  pointer: '',
  message: "cannot be chained: the newest record of the chain is ahead of the store's clock",
});

function concerns({ items, statement }: PreparedMessage, tenants: ReadonlySet<unknown>): boolean {
  return (
    items.some((item) => 'event' in item && tenants.has(item.event.tenant_id)) ||
    statement?.gaps.some((gap) => tenants.has(gap.tenantId)) === true
  );
}

/** The range with the events and gaps of these tenants as dead letters: they must not hold the events of others. */
function withoutTenants(range: PreparedRange, { tenants, reason }: WaitingTenants): PreparedRange {
  const messages = range.messages.map((message): PreparedMessage => {
    if (!concerns(message, tenants)) return message;
    const items = message.items.map((item): BatchItem => {
      if ('deadLetter' in item || !tenants.has(item.event.tenant_id)) return item;
      return { deadLetter: toDeadLetter(item.canonical, item.ingest, [reason]), ingest: item.ingest };
    });
    const { statement, refuse } = message;
    if (statement === undefined || refuse === undefined) return { ...message, items };
    // A statement is about one tenant. Its last number stays: recording it needs no chain.
    const refused = refuse(reason);
    return { ...message, items: [...items, ...refused], statement: { ...statement, gaps: [] } };
  });
  return { ...range, messages };
}

function halves({ from, next, leaderEpoch, messages }: PreparedRange): [PreparedRange, PreparedRange] {
  const half = messages.length >> 1;
  const lastOfFirst = messages[half - 1]!;
  const middle = lastOfFirst.offset + 1;
  return [
    {
      from,
      next: middle,
      leaderEpoch: lastOfFirst.leaderEpoch,
      messages: messages.slice(0, half),
      lost: false,
    },
    { from: middle, next, leaderEpoch, messages: messages.slice(half), lost: false },
  ];
}

/**
 * The message without what the store refuses, which becomes a dead letter. A statement that comes with an event is removed
 * first: no event is refused for the data beside it.
 *
 * @returns undefined if the message has nothing left to refuse
 */
function refuseMessage(message: PreparedMessage, error: unknown): PreparedMessage | undefined {
  const { statement, refuse, ...rest } = message;
  if (statement !== undefined) {
    const reason = {
      code: 'STORE_REFUSED',
      pointer: '',
      message: `the store refused the statement (${sqlState(error)})`,
    };
    return { ...rest, statement: undefined, items: [...message.items, ...(refuse?.(reason) ?? [])] };
  }
  if (message.items.every((item) => 'deadLetter' in item)) return undefined;
  const items = message.items.map((item) => ('deadLetter' in item ? item : refusedByStore(item, error)));
  return { ...message, items };
}
