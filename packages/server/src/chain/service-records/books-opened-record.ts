import { uuidv7 } from '@tallystick/event';
import { formatLetterEntry } from '@tallystick/log';
import type { KeyState, LetterState } from '@tallystick/verify';
import type { EventItem } from '../batch.ts';
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

/** The last `audit.books_opened` of an epoch: from there on, the service puts no row on record later than its change. */
export function booksOpenedRecord({ chain, epoch, now }: BooksOpening): EventItem {
  return booksEvent(derivedId('books-opened', chain, epoch), chain, now, { epoch, complete: true });
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
