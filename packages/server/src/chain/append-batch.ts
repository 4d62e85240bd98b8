import { limits, uuidv7Time } from '@tallystick/event';
import type { Receipt } from '@tallystick/protocol';
import { copyStatement } from '../store/copy-rows.ts';
import { type Database, type Session, type Statement, sqlState, writer } from '../store/database.ts';
import { monthStart, partitionOf } from '../store/partitions.ts';
import { accountsOf, settleAccounts } from './accounting.ts';
import type { Batch, EpochOpening, ItemOutcome } from './batch.ts';
import { type DeadLetter, storeDeadLetters, toDeadLetter } from './dead-letters.ts';
import { type Held, identity, lookUpHeld, mayBeOlder } from './duplicates.ts';
import { type Gathered, gather, tenantsOf, unapplied, type Verdicts } from './gather.ts';
import { advanceHeads, type Head, type HeadRow, readHeads } from './head.ts';
import { lockAll, RowsMissing, type Wanted } from './locks.ts';
import { genesisIdentities, type Placed, type Plan, type PlanContext, planBatch } from './plan.ts';
import { BatchSeal } from './seal.ts';
import { advancePositions, standings } from './source-position.ts';
import { storeTiles } from './tiles.ts';

export interface AppendOptions {
  /** Name of the log, first part of every origin. */
  readonly logName: string;
  /** Throws for a tenant whose chain was stopped. */
  readonly assertRunning?: (tenantId: string) => void;
  /** Throws for a locked head that is not as far as what was signed for the chain: the store was set back meanwhile. */
  readonly assertCurrent?: (session: Session, head: Head) => Promise<void>;
  /** Called between two chunks of rows, when about half of them were handed to COPY. */
  readonly duringCopy?: () => void;
  /** Called in the transaction just before it commits: books that must agree with the chain. */
  readonly beforeCommit?: (session: Session, outcomes: readonly ItemOutcome[]) => Promise<void>;
}

export interface AppendResult {
  /** One for each item of the batch; `undefined` for an item of a range that was applied before. */
  readonly outcomes: readonly (ItemOutcome | undefined)[];
}

/**
 * Extends chains: the only code that does. Everything happens in one transaction, so a crash at any moment leaves all
 * of the batch or none of it, and a batch that is sent again changes nothing.
 *
 * What is durable when it resolves: records, heads, tiles, dead letters and the source's position. Before that, nobody
 * may be told anything.
 *
 * A tenant whose head lies ahead of the clock keeps the whole batch back. Whoever submits can leave its events out; a
 * range of a source can't, since one position stands for all of it, so it waits for the clock.
 *
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN`, `CHAIN_STOPPED`, `SOURCE_POSITION_AHEAD`, `STORE_UNAVAILABLE`
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
 * Several batches in one transaction, in their order: all of them or none. What a small batch costs is mostly the
 * transaction around it.
 *
 * @returns one result for each batch
 * @throws {ServerError} as {@link appendBatch}, for whichever batch it was
 */
export async function appendBatches(
  database: Database,
  batches: readonly Batch[],
  options: AppendOptions,
): Promise<AppendResult[]> {
  const gathered = gather(batches);
  const wanted = { ...gathered, accounts: accountsOf(gathered) };
  try {
    return await appendOnce(database, batches, wanted, options, false);
  } catch (error) {
    if (!(error instanceof RowsMissing)) throw error;
    return await appendOnce(database, batches, wanted, options, true);
  }
}

/** @throws {RowsMissing} where something is new, unless rows are to be made for it */
async function appendOnce(
  database: Database,
  batches: readonly Batch[],
  wanted: Gathered & Wanted,
  options: AppendOptions,
  makeRows: boolean,
): Promise<AppendResult[]> {
  const { items, ranges, openings, accounts } = wanted;
  return await database.transaction(writer, async (session) => {
    const locked = await lockAll(session, wanted, makeRows);
    const { events, refused } = unapplied(batches, standings(ranges, locked.positions));
    const settled = await appendEvents(session, {
      events,
      openings,
      rows: locked.heads,
      options,
      close: (letters) => [
        ...storeDeadLetters([...refused.letters, ...letters]),
        ...settleAccounts(accounts, locked.books, locked.ranges),
        ...advancePositions(ranges),
      ],
    });
    const outcomes: (ItemOutcome | undefined)[] = new Array(items.length).fill(undefined);
    for (const { index, outcome } of [...refused.outcomes, ...settled.outcomes]) outcomes[index] = outcome;
    await options.beforeCommit?.(session, outcomes as readonly ItemOutcome[]);
    let at = 0;
    return batches.map((batch) => {
      const from = at;
      at += batch.items.length;
      return { outcomes: outcomes.slice(from, at) };
    });
  });
}

interface Appended {
  readonly events: readonly Placed[];
  readonly openings: readonly EpochOpening[];
  /** Locked heads of all tenants of these events, and perhaps of others. */
  readonly rows: readonly HeadRow[];
  readonly options: AppendOptions;
  /** The statements that end the transaction, given what was refused on the way. */
  readonly close: (letters: readonly DeadLetter[]) => readonly Statement[];
}

async function appendEvents(session: Session, appended: Appended): Promise<Verdicts> {
  const { events, openings, options, close } = appended;
  const { heads, ingestedAt } = await headsOf(session, appended);
  const month = monthStart(ingestedAt);
  const isTimely = ({ item }: Placed) => {
    const time = uuidv7Time(item.event.audit_id);
    return time === undefined || time < ingestedAt + 2 * limits.maxAheadMs;
  };
  const timely = events.filter(isTimely);
  const ahead = events.filter((placed) => !isTimely(placed)).map(refuse);
  const older = timely
    .map(({ item }) => item)
    .filter((item) => mayBeOlder(item.event.audit_id, month, ingestedAt));
  const held = await lookUpHeld(session, older);

  const context = {
    held,
    taken: genesisIdentities(heads.values(), options.logName),
    ingestedAt: new Date(ingestedAt).toISOString(),
  };
  for (let attempt = 0; ; attempt++) {
    const plan = await planOver(session, timely, context);
    let verdicts: Verdicts | undefined;
    try {
      const copied = {
        fresh: plan.fresh,
        openings,
        heads,
        ingestedAt,
        isFirst: attempt === 0,
        close: (receipts: readonly Receipt[]) => {
          verdicts = settle(plan, receipts, held, ahead);
          return close(verdicts.letters);
        },
      };
      await copyPlan(session, copied, options);
      return verdicts!;
    } catch (error) {
      // The month's unique indexes caught a duplicate: find out which, and seal the rest again over the same heads.
      if (sqlState(error) !== '23505' || attempt === 3) throw error;
      await session.query(toSavepoint);
      await learn(session, plan.fresh, held);
    }
  }
}

/** The heads that these events go to, each of a chain that may be extended. */
async function headsOf(
  session: Session,
  { events, openings, rows, options }: Appended,
): Promise<ReturnType<typeof readHeads>> {
  const opened = new Set(openings.map(({ tenantId }) => tenantId));
  const placed = events.map(({ item }) => item);
  const tenantIds = new Set(tenantsOf(placed, openings));
  for (const tenantId of tenantIds) if (!opened.has(tenantId)) options.assertRunning?.(tenantId);
  const read = readHeads(
    rows.filter((row) => tenantIds.has(row.tenant_id)),
    openings,
  );
  for (const head of read.heads.values()) {
    if (head.opening === undefined) await options.assertCurrent?.(session, head);
  }
  return read;
}

const savepoint: Statement = { name: 'tally_savepoint', text: 'savepoint copying' };
const toSavepoint = 'rollback to savepoint copying';

/** Plans the batch. Ids of the service's own records say nothing of their age: an earlier month may hold them. */
async function planOver(
  session: Session,
  events: readonly Placed[],
  context: PlanContext & { readonly held: Map<string, Held> },
): Promise<Plan> {
  const plan = planBatch(events, context);
  const own = plan.fresh.filter(({ index }) => index === undefined);
  if (own.length === 0) return plan;
  await learn(session, own, context.held);
  return planBatch(events, context);
}

async function learn(session: Session, placed: readonly Placed[], held: Map<string, Held>): Promise<void> {
  const found = await lookUpHeld(
    session,
    placed.map(({ item }) => item),
  );
  for (const [key, value] of found) held.set(key, value);
}

interface Copied {
  readonly fresh: readonly Placed[];
  readonly openings: readonly EpochOpening[];
  readonly heads: Map<string, Head>;
  readonly ingestedAt: number;
  /** A later one goes on from the savepoint that the first has set. */
  readonly isFirst: boolean;
  /** The statements that are run once all is sealed. */
  readonly close: (receipts: readonly Receipt[]) => readonly Statement[];
}

/**
 * Seals, copies and closes the books, in one round trip; the generator computes records while the database stores those
 * before.
 */
async function copyPlan(
  session: Session,
  copied: Copied,
  { logName, duringCopy }: AppendOptions,
): Promise<void> {
  const { fresh, openings, heads, ingestedAt, isFirst, close } = copied;
  if (fresh.length + openings.length === 0) {
    await session.pipeline(...close([]));
    return;
  }
  const at = new Date(ingestedAt).toISOString();
  const items = fresh.map(({ item }) => item);
  const seal = new BatchSeal(items, heads, at, logName);
  const rows = duringCopy === undefined ? seal.rows() : tellHalfway(seal, fresh.length, duringCopy);
  await session.copy(copyStatement(partitionOf(ingestedAt)), rows, {
    ...(isFirst && { before: [savepoint] }),
    after: () => [...storeTiles(seal.tiles), advanceHeads(seal.heads(), at), ...close(seal.receipts)],
  });
}

function* tellHalfway(seal: BatchSeal, records: number, tell: () => void): Generator<string> {
  let told = false;
  for (const chunk of seal.rows()) {
    yield chunk;
    if (told || seal.receipts.length * 2 < records) continue;
    told = true;
    tell();
  }
}

/** What becomes of the events, if it is committed. */
function settle(
  plan: Plan,
  receipts: readonly Receipt[],
  held: ReadonlyMap<string, Held>,
  ahead: readonly Refused[],
): Verdicts {
  const outcomes: { index: number; outcome: ItemOutcome }[] = [];
  // Records of the service's own have no place in the batch, and nobody waits for their outcome.
  const answer = ({ index }: Placed, outcome: ItemOutcome) => {
    if (index !== undefined) outcomes.push({ index, outcome });
  };
  const receiptOf = new Map(plan.fresh.map((placed, at) => [placed, receipts[at]!]));
  for (const [placed, receipt] of receiptOf) answer(placed, { status: 'chained', receipt });
  for (const placed of plan.duplicates) {
    const { tenant_id, audit_id } = placed.item.event;
    answer(placed, { status: 'duplicate', receipt: held.get(identity(tenant_id, audit_id))!.receipt });
  }
  for (const { placed, of } of plan.repeats) {
    answer(placed, { status: 'duplicate', receipt: receiptOf.get(of)! });
  }
  for (const { placed, deadLetter } of plan.conflicts) answer(placed, { status: 'conflict', deadLetter });
  for (const { placed, deadLetter } of ahead) answer(placed, { status: 'rejected', deadLetter });
  return { outcomes, letters: [...ahead, ...plan.conflicts].map(({ deadLetter }) => deadLetter) };
}

interface Refused {
  readonly placed: Placed;
  readonly deadLetter: DeadLetter;
}

/** The store's clock is behind the one that admitted the event: its id would defeat the look-up of older months. */
function refuse(placed: Placed): Refused {
  const deadLetter = toDeadLetter(placed.item.canonical, placed.item.ingest, [
    {
      code: 'AUDIT_ID_AHEAD',
      pointer: '/audit_id',
      message: "must not carry a time far ahead of the store's clock",
    },
  ]);
  return { placed, deadLetter };
}
