import { uuidv7 } from '@tallystick/event';
import { type AccountEntry, formatLetterEntry } from '@tallystick/log';
import type { KeyState, LetterState } from '@tallystick/verify';
import type { EventItem } from '../batch.ts';
import { entryTexts } from './accounts-changed-record.ts';
import { derivedId, serviceEvent } from './service-event.ts';

/** The chain that opens the books, and its epoch. */
export interface BooksOpening {
  readonly chain: string;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** An `audit.books_opened` that puts dead letters and API keys on record as the tables have them. */
export function adoptedRecord(
  { chain, now }: BooksOpening,
  letters: readonly LetterState[],
  keys: readonly KeyState[],
): EventItem {
  return booksEvent(uuidv7(now), chain, now, {
    letters: letters.map((letter) => ({
      letter: formatLetterEntry(letter),
      state: letter.state,
      ...(letter.settledBy !== null && { settled_by: letter.settledBy }),
    })),
    keys: keys.map(({ id, about, revokedAt }) => ({
      key_id: id,
      about,
      ...(revokedAt !== null && { revoked_at: revokedAt }),
    })),
  });
}

/**
 * The `audit.books_opened` that put accounts of producers on record.
 *
 * @param chain tenant of the chain that records them
 */
export function adoptedAccountsRecords(
  chain: string,
  entries: readonly AccountEntry[],
  now: number,
): EventItem[] {
  return entryTexts(entries).map((accounts) => booksEvent(uuidv7(now), chain, now, { accounts }));
}

/** Completes the opening of accounts in an epoch in which a service without books of accounts has opened the others. */
export function accountsOpenedRecord({ chain, epoch, now }: BooksOpening): EventItem {
  const id = derivedId('books-opened', chain, epoch, 'accounts');
  return booksEvent(id, chain, now, { epoch, accounts_complete: true });
}

/** Completes the opening of rules and operations in an epoch in which a service without records of them has opened the others. */
export function deskOpenedRecord({ chain, epoch, now }: BooksOpening): EventItem {
  return booksEvent(derivedId('books-opened', chain, epoch, 'desk'), chain, now, {
    epoch,
    desk_complete: true,
  });
}

/** The last `audit.books_opened` of an epoch: from there on, the service puts no row on record later than its change. */
export function booksOpenedRecord({ chain, epoch, now }: BooksOpening): EventItem {
  return booksEvent(derivedId('books-opened', chain, epoch), chain, now, {
    epoch,
    complete: true,
    accounts_complete: true,
    desk_complete: true,
  });
}

function booksEvent(
  auditId: string,
  chain: string,
  now: number,
  metadata: { readonly [fact: string]: unknown },
): EventItem {
  return serviceEvent({
    audit_id: auditId,
    tenant_id: chain,
    timestamp: new Date(now).toISOString(),
    event_type: 'audit.books_opened',
    target_type: 'books',
    target_id: chain,
    metadata,
  });
}
