import { retryReason } from '../chain/append-errors.ts';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';
import { type CursorPosition, moveCursor, type Place, readPlace, stopCursor } from './cursors.ts';
import { type FollowedPage, type Follower, RecordRefused } from './follower.ts';
import { type PageRead, readPage } from './read-page.ts';

/** What came of one visit of a tenant. */
export type VisitResult =
  /** Records were read; `more` says whether there are others. */
  | { readonly status: 'moved'; readonly records: number; readonly more: boolean }
  | { readonly status: 'caught_up' }
  /** The follower does not go on for this tenant until an operator acts. */
  | { readonly status: 'stopped' }
  /** Another replica was faster. */
  | { readonly status: 'overtaken' };

export interface VisitParts {
  readonly database: Database;
  readonly follower: Follower;
  readonly generation: number;
  readonly signal: AbortSignal;
  /** For tests that crash or freeze a follower. The product does not use it. */
  readonly onStage?: ((stage: VisitStage) => void | Promise<void>) | undefined;
}

/**
 * - `read`: the next records were read.
 * - `applied`: the effect is in the open transaction, or outside of the database; the cursor has not moved for others.
 * - `committed`: the cursor has moved.
 */
export type VisitStage = 'read' | 'applied' | 'committed';

const defaultPageRecords = 256;

/**
 * Reads the next page of one tenant's chain and applies it: read, compare-and-swap, apply, commit. A crash at any moment leaves the
 * cursor where it was, or behind records whose effect is stored.
 *
 * @param maxRecords 1 after a failure, to find the record that causes it
 * @throws whatever the effect throws. The cursor has not moved then
 */
export async function visit(
  parts: VisitParts,
  tenantId: string,
  maxRecords: number = parts.follower.pageRecords ?? defaultPageRecords,
): Promise<VisitResult> {
  const { database, follower, generation } = parts;
  const set = { follower: follower.name, generation };

  // Read. Nothing is locked, so chaining never waits for a follower.
  const { place, read } = await database.transaction(writer, async (session) => {
    const found = await readPlace(session, set, tenantId);
    const none: PageRead = { status: 'caught_up' };
    return {
      place: found,
      read: found.stopped ? none : await readPage(session, tenantId, found, maxRecords),
    };
  });
  if (place.stopped) return { status: 'stopped' };
  if (read.status === 'caught_up') return { status: 'caught_up' };
  if (read.status === 'stopped') {
    await stopCursor(database, set, tenantId, place, read.stop);
    return { status: 'stopped' };
  }
  const { records, atEnd } = read;
  const last = records.at(-1)!;
  const to: CursorPosition = { epoch: last.epoch, sequence: last.sequence, hash: last.hash };
  const page: FollowedPage = { tenantId, generation, records };
  await parts.onStage?.('read');

  const moved =
    follower.effect === 'database'
      ? await database.transaction(writer, async (session) => {
          // The cursor first: its lock makes a second owner wait, and find that the records are applied.
          if (!(await moveCursor(session, set, tenantId, place, to))) return false;
          await follower.apply(session, page);
          await parts.onStage?.('applied');
          return true;
        })
      : await deliverAndMove(parts, place, page, to);
  // Durable from here. A crash before it leaves the cursor, and the records are read again.
  await parts.onStage?.('committed');
  return moved ? { status: 'moved', records: records.length, more: !atEnd } : { status: 'overtaken' };
}

async function deliverAndMove(
  { database, follower, generation, signal, onStage }: VisitParts,
  place: Place,
  page: FollowedPage,
  to: CursorPosition,
): Promise<boolean> {
  if (follower.effect !== 'outside') throw new Error('not a follower with an effect outside of the database');
  await follower.deliver(page, signal);
  // A crash here delivers the records again, with the same keys.
  await onStage?.('applied');
  const set = { follower: follower.name, generation };
  return await database.transaction(writer, (session) => moveCursor(session, set, page.tenantId, place, to));
}

/** Whether an error says nothing about the records: the store or the receiver is away, or the service is closing. */
export function isPassing(follower: Follower, error: unknown): boolean {
  if (error instanceof RecordRefused) return false;
  if (follower.effect === 'outside') return true;
  if (retryReason(error) !== undefined) return true;
  return error instanceof ServerError;
}

/** Stops the follower for a tenant at the record that it can't apply. */
export async function stopAtRecord(parts: VisitParts, tenantId: string, error: unknown): Promise<void> {
  const { database, follower, generation } = parts;
  const set = { follower: follower.name, generation };
  const place = await database.transaction(writer, (session) => readPlace(session, set, tenantId));
  if (place.stopped) return;
  const { epoch, sequence } = place.cursor;
  await stopCursor(database, set, tenantId, place, {
    code: 'RECORD_REFUSED',
    reason: `record ${sequence + 1} of epoch ${epoch}, or the first of the next epoch, can't be applied: ${nameOf(error)}`,
  });
}

/** The class and the code of an error. Its message may quote the event, so only a follower's own refusal shows it. */
function nameOf(error: unknown): string {
  if (error instanceof RecordRefused) return error.message;
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return `${typeof name === 'string' ? name : 'Error'}${typeof code === 'string' ? ` ${code}` : ''}`;
}
