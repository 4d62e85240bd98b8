import { chainStopped, type ServerError } from '../errors.ts';
import { type Database, type Session, type Statement, writer } from '../store/database.ts';
import { monthStart } from '../store/partitions.ts';
import { findStrays, strayReason } from '../store/strays.ts';
import { settleAccounts } from './account-rows.ts';
import type { Batch, EpochOpening, ItemOutcome } from './batch.ts';
import { type BookOptions, serviceTenantOf } from './book-options.ts';
import { BatchBooks } from './books/batch-books.ts';
import { findStoredEvents, mayBeInEarlierMonth, type StoredEvent } from './duplicates.ts';
import { type Head, type HeadRow, readHeads } from './head.ts';
import { itemsOf, lookupsOf, mergeBatches, pendingOf, splitByBatch, tenantsOf } from './merge-batches.ts';
import { genesisKeysOf, outcomesOf, planBatch } from './plan.ts';
import { storeReceived } from './received-events.ts';
import { lockModes, lockRows } from './row-locks.ts';
import { sealAndCopy } from './seal-and-copy.ts';
import { withOwnId } from './service-records/own-id.ts';
import { advancePositions, firstUnapplied } from './source-position.ts';

export interface AppendOptions extends BookOptions {
  /** Name of the log, first part of every origin. */
  readonly logName: string;
  /**
   * Secret of the installation, from which the ids of the service's own records are derived; see {@link withOwnId}. The
   * service always gives it. Absent: a client could compute these ids.
   */
  readonly recordIdSecret?: Uint8Array;
  /** Throws if a locked head is behind what was signed for the chain: the store was restored in the meantime. */
  readonly assertCurrent?: (session: Session, head: Head) => Promise<void>;
  /** Stops a chain because the store has a row that does not belong to it. */
  readonly stop?: (tenantId: string, reason: string) => void;
  /** Called after a commit, with the tenants whose chains it may have extended. */
  readonly onExtended?: (tenantIds: readonly string[]) => void;
  /**
   * For tests that crash, freeze or cut a writer; the product does not use it, and there is no other hook. An error
   * thrown before `committed` stores nothing.
   *
   * - `copying`: about half of the rows were handed to COPY. Once per call; never for a batch without new records.
   * - `committing`: all statements were run and only the commit is missing.
   * - `committed`: the commit was acknowledged.
   */
  readonly onStage?: (stage: AppendStage) => void | Promise<void>;
}

/** Stages of a transaction that a test can wait for; see {@link AppendOptions.onStage}. */
export type AppendStage = 'copying' | 'committing' | 'committed';

export interface AppendResult {
  /** One for each item of the batch; `undefined` for an item of a range that was applied before. */
  readonly outcomes: readonly (ItemOutcome | undefined)[];
}

/** How often a batch is sealed over the same locks, each time without the duplicates that COPY has found. */
const maxSeals = 4;

const setSavepoint: Statement = { name: 'tally_savepoint', text: 'savepoint copying' };
const backToSavepoint = 'rollback to savepoint copying';

/**
 * Stores one batch.
 *
 * @throws {ServerError} as {@link appendBatches}
 */
export async function appendBatch(
  database: Database,
  batch: Batch,
  options: AppendOptions,
): Promise<AppendResult> {
  const [result] = await appendBatches(database, [batch], options);
  return result!;
}

/**
 * Extends chains. No other code does. All batches are stored in one transaction, in their order, because most of the cost
 * of a small batch is its transaction: a crash at any moment leaves all of them or none, and a batch that is sent again
 * changes nothing.
 *
 * Durable when it resolves: records, heads, tiles, dead letters, accounts and the positions of sources. Nothing of it may
 * be acknowledged before.
 *
 * If the head of one tenant is ahead of the clock, nothing is stored. The caller can leave out the events of that tenant, or
 * keep them as dead letters: one position covers all events of a range, and those of other tenants must not wait.
 *
 * The statements of this transaction are in this folder and not in `sql/queries`: each is only correct together with the
 * order of locks around it, so it stays next to the code that explains that order.
 *
 * @returns one result for each batch
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN`, `CHAIN_STOPPED`, `SOURCE_POSITION_AHEAD`, `STORE_UNAVAILABLE`, whichever of
 *   the batches caused it
 */
export async function appendBatches(
  database: Database,
  batches: readonly Batch[],
  options: AppendOptions,
): Promise<AppendResult[]> {
  const merged = mergeBatches(batches, options);
  const { logName, recordIdSecret } = options;
  for (const mode of lockModes) {
    let extended: readonly string[] = [];
    // Begin.
    const results = await database.transaction(writer, async (session) => {
      // Lock.
      const locked = await lockRows(session, merged, mode, serviceTenantOf(options));
      if (locked === undefined) return undefined;

      // Gather: what is still to be stored, the heads it goes to, and events that an earlier month may hold already.
      const positions = firstUnapplied(merged.ranges, locked.positions);
      const pending = pendingOf(merged, positions, recordIdSecret);
      const batchBooks = BatchBooks.read({ merged, locked, pending, positions, options });
      if (batchBooks === undefined) return undefined;
      const { heads, ingestedAt } = await headsFor(
        session,
        [...tenantsOf(itemsOf(pending.events), merged.openings), ...batchBooks.tenantIds],
        merged.openings,
        locked.heads,
        options,
      );
      extended = [...heads.keys()];
      const month = monthStart(ingestedAt);
      const known = new Map<string, StoredEvent>();
      const older = pending.events.filter(({ item }) =>
        mayBeInEarlierMonth(item.event.audit_id, month, ingestedAt),
      );
      await findStoredEvents(session, lookupsOf(older), known);
      const genesisKeys = genesisKeysOf(heads.values(), logName);
      const context = { known, genesisKeys, ingestedAt, recordIdSecret };

      for (let seals = 1; ; seals++) {
        // Plan.
        let plan = planBatch(pending.events, context);
        const changes = await batchBooks.changesOf(session, plan, ingestedAt);
        const ownRecords = changes.records.map((item) => ({
          ...withOwnId(item, recordIdSecret),
          index: undefined,
        }));
        const events = [...pending.events, ...ownRecords];
        if (changes.records.length > 0) plan = planBatch(events, context);
        // Ids of the service's records contain no time, so an earlier month may hold them. Only the plan knows them all.
        const serviceRecords = plan.fresh.filter(({ index }) => index === undefined);
        if (serviceRecords.length > 0) {
          await findStoredEvents(session, lookupsOf(serviceRecords), known);
          plan = planBatch(events, context);
        }
        const books = [
          ...changes.statements,
          ...storeReceived(plan.fresh),
          ...settleAccounts(merged.accounts, locked.accounts, locked.touchedRanges),
          ...advancePositions(merged.ranges),
        ];

        // Seal and copy, and close the books in the same round trip.
        const copied = await sealAndCopy(session, {
          events: plan.fresh,
          openings: merged.openings,
          heads,
          ingestedAt,
          before: seals === 1 ? [setSavepoint] : [],
          books,
          logName,
          onHalfway: async () => {
            if (seals === 1) await options.onStage?.('copying');
          },
        });
        if (copied.status === 'duplicate') {
          // A unique index of the month holds one of the events: find out which, and seal the others again.
          await session.query(backToSavepoint);
          const knownBefore = known.size;
          await findStoredEvents(session, itemsOf(plan.fresh), known);
          if (known.size === knownBefore) await stopForStrays(session, heads.keys(), options);
          if (seals === maxSeals) throw copied.error;
          continue;
        }

        // Close the books of the callers.
        const outcomes = splitByBatch(batches, [...pending.refused, ...outcomesOf(plan, copied.receipts)]);
        for (const [index, batch] of batches.entries()) await batch.closeBooks?.(session, outcomes[index]!);

        // Commit: it follows when this function returns.
        await options.onStage?.('committing');
        return outcomes.map((each) => ({ outcomes: each }));
      }
    });
    if (results === undefined) continue;
    if (extended.length > 0) options.onExtended?.(extended);
    await options.onStage?.('committed');
    return results;
  }
  throw new Error('rows that this transaction has created are missing');
}

/**
 * Called when the store refused a key as a duplicate and the chains hold none of the events: a row that somebody planted has
 * the key. The chains of the tenants that have such rows are stopped. The transaction stores nothing, and the events of the
 * other tenants are chained when the caller tries again.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, if any of the tenants has such a row
 */
async function stopForStrays(
  session: Session,
  tenantIds: Iterable<string>,
  { stop }: AppendOptions,
): Promise<void> {
  let stopped: ServerError | undefined;
  for (const tenantId of tenantIds) {
    const [stray] = await findStrays(session, tenantId, 1);
    if (stray === undefined) continue;
    stop?.(tenantId, strayReason(stray));
    stopped ??= chainStopped(tenantId, strayReason(stray));
  }
  if (stopped !== undefined) throw stopped;
}

/**
 * The heads that the batch extends, and the time of the batch.
 *
 * @param extended tenants whose chains get records
 * @param rows locked heads, perhaps also of other tenants
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`
 */
async function headsFor(
  session: Session,
  extended: readonly string[],
  openings: readonly EpochOpening[],
  rows: readonly HeadRow[],
  { assertRunning, assertCurrent }: AppendOptions,
): Promise<ReturnType<typeof readHeads>> {
  const opened = new Set(openings.map(({ tenantId }) => tenantId));
  const tenantIds = new Set(extended);
  for (const tenantId of tenantIds) if (!opened.has(tenantId)) assertRunning?.(tenantId);
  const read = readHeads(
    rows.filter((row) => tenantIds.has(row.tenant_id)),
    openings,
  );
  for (const head of read.heads.values()) {
    if (head.opening === undefined) await assertCurrent?.(session, head);
  }
  return read;
}
