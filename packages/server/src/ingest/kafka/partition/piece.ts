import type { BatchItem, ProducerStatement } from '../../../chain/batch.ts';
import { toDeadLetter } from '../../../chain/dead-letters.ts';
import { refusedByStore } from '../../../chain/writer.ts';
import { ServerError } from '../../../errors.ts';
import { sqlState } from '../../../store/database.ts';
import { stoppedChain } from '../../admit/admission.ts';
import type { Entry, Piece } from './batch-queue.ts';

/** Which chain a transaction must do without, where it failed for one that is stopped. */
export function stoppedTenant(error: unknown): string | undefined {
  if (!(error instanceof ServerError) || error.code !== 'CHAIN_STOPPED') return undefined;
  const { tenant_id } = error.details;
  return typeof tenant_id === 'string' ? tenant_id : undefined;
}

export function concerns({ items, statement }: Entry, tenantId: string): boolean {
  return (
    items.some((item) => 'event' in item && item.event.tenant_id === tenantId) ||
    statement?.gaps.some((gap) => gap.tenantId === tenantId) === true
  );
}

/** The same piece with a tenant's events and gaps as dead letters, as they become where the chain was stopped before. */
export function withoutTenant(piece: Piece, tenantId: string): Piece {
  const entries = piece.entries.map((entry): Entry => {
    if (!concerns(entry, tenantId)) return entry;
    const items = entry.items.map((item): BatchItem => {
      if ('deadLetter' in item || item.event.tenant_id !== tenantId) return item;
      return { deadLetter: toDeadLetter(item.canonical, item.ingest, [stoppedChain]), ingest: item.ingest };
    });
    const { statement, refuse } = entry;
    if (statement === undefined || refuse === undefined) return { ...entry, items };
    // A message speaks of one tenant. What it says of the last number needs no chain.
    return { ...entry, items: [...items, ...refuse(stoppedChain)], statement: { ...statement, gaps: [] } };
  });
  return { ...piece, entries };
}

export function halves({ from, next, leaderEpoch, entries }: Piece): [Piece, Piece] {
  const half = entries.length >> 1;
  const before = entries[half - 1]!;
  const middle = before.offset + 1;
  return [
    { from, next: middle, leaderEpoch: before.leaderEpoch, entries: entries.slice(0, half), lost: false },
    { from: middle, next, leaderEpoch, entries: entries.slice(half), lost: false },
  ];
}

/**
 * The entry without what the store can't hold, which is kept as a dead letter: what is said beside an event goes first, for
 * no event is refused for it.
 *
 * @returns nothing where nothing is left to refuse
 */
export function refusedEntry(entry: Entry, error: unknown): Entry | undefined {
  const { statement, refuse, ...rest } = entry;
  if (statement !== undefined) {
    const refusal = {
      code: 'STORE_REFUSED',
      pointer: '',
      message: `the store refused the statement (${sqlState(error)})`,
    };
    return { ...rest, statement: undefined, items: [...entry.items, ...(refuse?.(refusal) ?? [])] };
  }
  if (entry.items.every((item) => 'deadLetter' in item)) return undefined;
  return {
    ...entry,
    items: entry.items.map((item) => ('deadLetter' in item ? item : refusedByStore(item, error))),
  };
}

/** A producer introduces itself with every event; the books need it once. */
export function mergeStatements(entries: readonly Entry[]): ProducerStatement[] {
  const said: ProducerStatement[] = [];
  const introduced = new Set<string>();
  for (const { statement } of entries) {
    if (statement === undefined) continue;
    if (statement.gaps.length === 0 && statement.final.length === 0) {
      const who = `${statement.submitter}\n${statement.producerId}\n${statement.service}`;
      if (introduced.has(who)) continue;
      introduced.add(who);
    }
    said.push(statement);
  }
  return said;
}
