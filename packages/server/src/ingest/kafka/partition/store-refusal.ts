import { isContentError, refusedByStore } from '../../../chain/append-errors.ts';
import type { BatchItem } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';
import { ServerError } from '../../../errors.ts';
import { sqlState } from '../../../store/database.ts';
import { stoppedChain } from '../../admit/admission.ts';
import type { PreparedMessage } from '../message/prepare-message.ts';
import type { PreparedRange } from './prepared-range.ts';

/**
 * What to store in place of a range that the store has refused because of its content: the range without the events of a
 * stopped chain; two halves, to find the message that the store refuses; or that message as a dead letter.
 *
 * @returns undefined if the content is not the reason: the same range may be tried again
 */
export function replaceRefused(range: PreparedRange, error: unknown): readonly PreparedRange[] | undefined {
  const { messages } = range;
  const tenantId = stoppedTenantOf(error);
  if (tenantId !== undefined && messages.some((message) => concerns(message, tenantId))) {
    return [withoutTenant(range, tenantId)];
  }
  if (!isContentError(error) || messages.length === 0) return undefined;
  if (messages.length > 1) return halves(range);
  const refused = refuseMessage(messages[0]!, error);
  return refused === undefined ? undefined : [{ ...range, messages: [refused] }];
}

/** The tenant whose chain is stopped, if a transaction failed for that reason. */
function stoppedTenantOf(error: unknown): string | undefined {
  if (!(error instanceof ServerError) || error.code !== 'CHAIN_STOPPED') return undefined;
  const { tenant_id } = error.details;
  return typeof tenant_id === 'string' ? tenant_id : undefined;
}

function concerns({ items, statement }: PreparedMessage, tenantId: string): boolean {
  return (
    items.some((item) => 'event' in item && item.event.tenant_id === tenantId) ||
    statement?.gaps.some((gap) => gap.tenantId === tenantId) === true
  );
}

/** The range with the events and gaps of a tenant as dead letters, as if its chain had been stopped when they were read. */
function withoutTenant(range: PreparedRange, tenantId: string): PreparedRange {
  const messages = range.messages.map((message): PreparedMessage => {
    if (!concerns(message, tenantId)) return message;
    const items = message.items.map((item): BatchItem => {
      if ('deadLetter' in item || item.event.tenant_id !== tenantId) return item;
      return { deadLetter: toDeadLetter(item.canonical, item.ingest, [stoppedChain]), ingest: item.ingest };
    });
    const { statement, refuse } = message;
    if (statement === undefined || refuse === undefined) return { ...message, items };
    // A statement is about one tenant. Its last number stays: recording it needs no chain.
    const refused = refuse(stoppedChain);
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
