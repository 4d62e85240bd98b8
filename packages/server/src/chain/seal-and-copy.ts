import type { Receipt } from '@tallystick/protocol';
import { copyStatement } from '../store/copy-rows.ts';
import type { CopyResult, Session, Statement } from '../store/database.ts';
import { partitionOf } from '../store/partitions.ts';
import type { EpochOpening } from './batch.ts';
import { advanceHeads, type Head } from './head.ts';
import { itemsOf, type PendingEvent } from './merge-batches.ts';
import { BatchSealer } from './seal.ts';
import { storeTiles } from './tiles.ts';

/** What to seal and to store in one round trip. */
export interface SealRequest {
  readonly events: readonly PendingEvent[];
  readonly openings: readonly EpochOpening[];
  readonly heads: Map<string, Head>;
  /** Time of the batch, ms since the epoch. */
  readonly ingestedAt: number;
  /** Run before the records are stored. */
  readonly before: readonly Statement[];
  /** Run after the records are stored. */
  readonly books: readonly Statement[];
  readonly logName: string;
  /** Called when about half of the records were handed to COPY. */
  readonly onHalfway: () => Promise<void>;
}

/**
 * Seals events into records while the database stores the ones before, then writes tiles, heads and books. All of it is
 * one round trip.
 *
 * @returns a receipt for each event, in order; or `duplicate`, when the transaction has failed up to its last savepoint
 */
export async function sealAndCopy(
  session: Session,
  { events, openings, heads, ingestedAt, before, books, logName, onHalfway }: SealRequest,
): Promise<
  | { readonly status: 'stored'; readonly receipts: readonly Receipt[] }
  | Extract<CopyResult, { status: 'duplicate' }>
> {
  if (events.length + openings.length === 0) {
    await session.pipeline(...books);
    return { status: 'stored', receipts: [] };
  }
  const at = new Date(ingestedAt).toISOString();
  const sealer = new BatchSealer(itemsOf(events), heads, at, logName);
  const copy = session.beginCopy(copyStatement(partitionOf(ingestedAt)), before);
  let isHalfway = false;
  for (const rows of sealer.rows()) {
    if (!(await copy.write(rows))) break;
    if (isHalfway || sealer.receipts.length * 2 < events.length) continue;
    isHalfway = true;
    await onHalfway();
  }
  const copied = await copy.finish([...storeTiles(sealer.tiles), advanceHeads(sealer.heads(), at), ...books]);
  return copied.status === 'stored' ? { status: 'stored', receipts: sealer.receipts } : copied;
}
