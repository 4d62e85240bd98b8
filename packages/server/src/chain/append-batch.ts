import { limits, uuidv7Time } from '@tallystick/event';
import { type DeadLetter, toDeadLetter } from '../admit/admit.ts';
import { copyStatement } from '../store/copy-rows.ts';
import { type Database, type Session, sqlState, writer } from '../store/database.ts';
import { monthStart, partitionOf } from '../store/partitions.ts';
import { gapRecords, settleProducers } from './accounting.ts';
import type { Batch, ItemOutcome, Receipt } from './batch.ts';
import { storeDeadLetters } from './dead-letters.ts';
import { type Held, identity, lookUpHeld, mayBeOlder } from './duplicates.ts';
import { advanceHeads, type Head, lockHeads } from './head.ts';
import { genesisIdentities, type Placed, type Plan, type PlanContext, planBatch } from './plan.ts';
import { BatchSeal } from './seal.ts';
import { advancePosition, lockPosition } from './source-position.ts';
import { storeTiles } from './tiles.ts';

export interface AppendOptions {
  /** Name of the log, first part of every origin. */
  readonly logName: string;
  /** Throws for a tenant whose chain was stopped. */
  readonly assertRunning?: (tenantId: string) => void;
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
 * @throws {ServerError} `CLOCK_BEHIND_CHAIN`, `CHAIN_STOPPED`, `SOURCE_POSITION_AHEAD`, `STORE_UNAVAILABLE`
 */
export async function appendBatch(
  database: Database,
  batch: Batch,
  options: AppendOptions,
): Promise<AppendResult> {
  return await database.transaction(writer, async (session) => {
    const applied = batch.range === undefined ? 0 : await lockPosition(session, batch.range);
    const outcomes: (ItemOutcome | undefined)[] = new Array(batch.items.length).fill(undefined);
    const letters: DeadLetter[] = [];
    const events: Placed[] = [];
    for (const [index, item] of batch.items.entries()) {
      if (batch.range !== undefined && batch.range.offsets[index]! < applied) continue;
      if ('deadLetter' in item) {
        letters.push(item.deadLetter);
        outcomes[index] = { status: 'rejected', deadLetter: item.deadLetter };
      } else {
        events.push({ item, index });
      }
    }
    for (const item of gapRecords(batch.statements ?? [])) events.push({ item, index: undefined });
    if (events.length > 0) await appendEvents(session, events, outcomes, letters, options);
    await storeDeadLetters(session, letters);
    await settleProducers(session, batch);
    await options.beforeCommit?.(session, outcomes as readonly ItemOutcome[]);
    if (batch.range !== undefined) await advancePosition(session, batch.range);
    return { outcomes };
  });
}

async function appendEvents(
  session: Session,
  events: readonly Placed[],
  outcomes: (ItemOutcome | undefined)[],
  letters: DeadLetter[],
  options: AppendOptions,
): Promise<void> {
  const tenants = [...new Set(events.map(({ item }) => item.event.tenant_id))].sort();
  for (const tenantId of tenants) options.assertRunning?.(tenantId);
  const { heads, ingestedAt } = await lockHeads(session, tenants);
  const month = monthStart(ingestedAt);
  const timely = events.filter((placed) => {
    const time = uuidv7Time(placed.item.event.audit_id);
    if (time === undefined || time < ingestedAt + 2 * limits.maxAheadMs) return true;
    refuse(placed, outcomes, letters);
    return false;
  });
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
    try {
      await session.query('savepoint copying');
      const seal = await copyPlan(session, plan.fresh, heads, ingestedAt, options.logName);
      settle(plan, seal.receipts, held, outcomes, letters);
      return;
    } catch (error) {
      // The month's unique indexes caught a duplicate: find out which, and seal the rest again over the same heads.
      if (sqlState(error) !== '23505' || attempt === 3) throw error;
      await session.query('rollback to savepoint copying');
      await learn(session, plan.fresh, held);
    }
  }
}

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

/** Seals and copies; the generator computes records while the database stores those before. */
async function copyPlan(
  session: Session,
  fresh: readonly Placed[],
  heads: Map<string, Head>,
  ingestedAt: number,
  logName: string,
): Promise<BatchSeal> {
  const at = new Date(ingestedAt).toISOString();
  const seal = new BatchSeal(
    fresh.map(({ item }) => item),
    heads,
    at,
    logName,
  );
  if (fresh.length === 0) return seal;
  await session.copy(copyStatement(partitionOf(ingestedAt)), seal.rows());
  await storeTiles(session, seal.tiles);
  await advanceHeads(session, seal.heads(), at);
  return seal;
}

function settle(
  plan: Plan,
  receipts: readonly Receipt[],
  held: ReadonlyMap<string, Held>,
  outcomes: (ItemOutcome | undefined)[],
  letters: DeadLetter[],
): void {
  const receiptOf = new Map<Placed, Receipt>();
  // Records of the service's own have no place in the batch, and nobody waits for their outcome.
  const answer = (placed: Placed, outcome: ItemOutcome) => {
    if (placed.index !== undefined) outcomes[placed.index] = outcome;
  };
  for (const [at, placed] of plan.fresh.entries()) {
    receiptOf.set(placed, receipts[at]!);
    answer(placed, { status: 'chained', receipt: receipts[at]! });
  }
  for (const placed of plan.duplicates) {
    const { tenant_id, audit_id } = placed.item.event;
    answer(placed, { status: 'duplicate', receipt: held.get(identity(tenant_id, audit_id))!.receipt });
  }
  for (const { placed, of } of plan.repeats) {
    answer(placed, { status: 'duplicate', receipt: receiptOf.get(of)! });
  }
  for (const { placed, deadLetter } of plan.conflicts) {
    answer(placed, { status: 'conflict', deadLetter });
    letters.push(deadLetter);
  }
}

/** The store's clock is behind the one that admitted the event: its id would defeat the look-up of older months. */
function refuse(placed: Placed, outcomes: (ItemOutcome | undefined)[], letters: DeadLetter[]): void {
  const deadLetter = toDeadLetter(placed.item.canonical, placed.item.ingest, [
    {
      code: 'AUDIT_ID_AHEAD',
      pointer: '/audit_id',
      message: "must not carry a time far ahead of the store's clock",
    },
  ]);
  letters.push(deadLetter);
  if (placed.index !== undefined) outcomes[placed.index] = { status: 'rejected', deadLetter };
}
