import type { EventItem } from '../../chain/batch.ts';
import { unexplainedRecord, unresolvedRecord } from '../../chain/service-records/intent-records.ts';
import { ServerError } from '../../errors.ts';
import type { AppendRanges } from '../../ingest/append-ranges.ts';
import { type Database, type Session, writer } from '../../store/database.ts';
import type { TickState } from '../follower.ts';
import { type DueRow, haveCaughtUp, type Patience, readSources } from './sources.ts';

/** What the findings need of the service. */
export interface DueParts {
  readonly database: Database;
  readonly appendRanges: AppendRanges;
}

export interface DueOptions extends Patience {
  readonly follower: string;
  /** When a row whose sources have not caught up is looked at again, ms. */
  readonly recheckMs: number;
}

/** Rows of one step. */
const rowsPerStep = 500;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8 as ${column}`;

/**
 * Takes the two steps from a row that is due to a record of the service.
 *
 * 1. Where all sources have caught up, the row remembers how far the chain reaches *after* that was found. Everything that the sources
 *    brought is before this position.
 * 2. When the follower has read the chain up to this position and the row is still there, the finding is chained, and the transaction
 *    changes the row by condition. An end that the follower reads meanwhile wins, and the transaction stores nothing.
 *
 * A crash between them leaves the position, and any replica goes on. The record's id is derived from the intent, so that no crash and no
 * second replica chains it twice.
 */
export async function findDue(parts: DueParts, state: TickState, options: DueOptions): Promise<void> {
  await markCaughtUp(parts.database, state, options);
  await chainReady(parts, state, options);
}

async function markCaughtUp(
  database: Database,
  { generation, isHeld }: TickState,
  options: DueOptions,
): Promise<void> {
  await database.transaction(writer, async (session) => {
    const due = await session.query<DueRow>(
      `select tenant_id, intent_id::text as intent_id, state, ${ms('deadline')}, ${ms('ingested_at')}, source, submitter,
              producer_id::text as producer_id, producer_seq, passed_seq
         from audit_open_intents where generation = $1::integer and check_at <= clock_timestamp() order by check_at limit ${rowsPerStep}`,
      [generation],
    );
    const held = due.filter(({ tenant_id }) => isHeld(tenant_id));
    if (held.length === 0) return;
    const states = await readSources(session, held);
    const [ready, waiting] = [[] as DueRow[], [] as DueRow[]];
    for (const row of held) (haveCaughtUp(row, states, options) ? ready : waiting).push(row);
    // A later statement than those that found the sources drained, so the heads that it sees have all that they brought.
    await session.query(
      `update audit_open_intents i set check_at = null, ready_epoch = h.epoch, ready_sequence = h.last_sequence
         from unnest($2::text[], $3::uuid[]) as k(tenant_id, intent_id), audit_chain_state h
        where i.generation = $1::integer and i.tenant_id = k.tenant_id and i.intent_id = k.intent_id and h.tenant_id = k.tenant_id
          and i.check_at <= clock_timestamp()`,
      keysOf(generation, ready),
    );
    await session.query(
      `update audit_open_intents i set check_at = clock_timestamp() + make_interval(secs => $4)
         from unnest($2::text[], $3::uuid[]) as k(tenant_id, intent_id)
        where i.generation = $1::integer and i.tenant_id = k.tenant_id and i.intent_id = k.intent_id
          and i.check_at <= clock_timestamp()`,
      [...keysOf(generation, waiting), options.recheckMs / 1_000],
    );
  });
}

interface ReadyRow {
  readonly tenant_id: string;
  readonly intent_id: string;
  readonly state: 'open' | 'early';
  readonly audit_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  readonly is_sensitive: boolean;
  readonly action: string | null;
  readonly deadline: Date;
  readonly now: Date;
}

async function chainReady(
  { database, appendRanges }: DueParts,
  { generation, isHeld }: TickState,
  { follower, recheckMs }: DueOptions,
): Promise<void> {
  const ready = await database.query<ReadyRow>(
    writer,
    `select i.tenant_id, i.intent_id::text as intent_id, i.state, i.audit_id::text as audit_id, i.epoch, i.sequence_number, i.is_sensitive,
            i.action, i.deadline, clock_timestamp() as now
       from audit_open_intents i
       join audit_follower_cursors c on c.follower = $2 and c.generation = i.generation and c.tenant_id = i.tenant_id
      where i.generation = $1::integer and i.ready_epoch is not null and c.stopped_code is null
        and (c.epoch, c.sequence_number) >= (i.ready_epoch, i.ready_sequence)
      order by i.tenant_id limit ${rowsPerStep}`,
    [generation, follower],
  );
  for (const [tenantId, rows] of Map.groupBy(ready, ({ tenant_id }) => tenant_id)) {
    if (!isHeld(tenantId)) continue;
    try {
      await chain(appendRanges, generation, rows);
    } catch (error) {
      if (error instanceof Overtaken) {
        // One of the rows has changed. Each of the others is chained on its own.
        if (rows.length > 1)
          for (const row of rows) await chain(appendRanges, generation, [row]).catch(ignoreOvertaken);
        continue;
      }
      if (!(error instanceof ServerError)) throw error;
      // The chain is stopped, or the store is away: later.
      await database.query(
        writer,
        `update audit_open_intents i set check_at = clock_timestamp() + make_interval(secs => $4), ready_epoch = null, ready_sequence = null
           from unnest($2::text[], $3::uuid[]) as k(tenant_id, intent_id)
          where i.generation = $1::integer and i.tenant_id = k.tenant_id and i.intent_id = k.intent_id and i.ready_epoch is not null`,
        [...keysOf(generation, rows), Math.max(60, recheckMs / 1_000)],
      );
    }
  }
}

/** A row has changed since it was read: its end has come, or another replica was faster. */
class Overtaken extends Error {}

function ignoreOvertaken(error: unknown): void {
  if (!(error instanceof Overtaken)) throw error;
}

async function chain(
  appendRanges: AppendRanges,
  generation: number,
  rows: readonly ReadyRow[],
): Promise<void> {
  const items = rows.map(findingOf);
  await appendRanges([
    {
      items,
      closeBooks: async (session, outcomes) => {
        const ids = outcomes.map((outcome) =>
          outcome !== undefined && 'receipt' in outcome ? outcome.receipt.audit_id : null,
        );
        await settleRows(session, generation, rows, ids);
      },
    },
  ]);
}

async function settleRows(
  session: Session,
  generation: number,
  rows: readonly ReadyRow[],
  recordIds: readonly (string | null)[],
): Promise<void> {
  const settled = await session.query(
    `update audit_open_intents i
        set state = case i.state when 'open' then 'unresolved' else 'unexplained' end, record_id = k.record_id, check_at = null,
            ready_epoch = null, ready_sequence = null
       from unnest($2::text[], $3::uuid[], $4::uuid[], $5::text[]) as k(tenant_id, intent_id, record_id, state)
      where i.generation = $1::integer and i.tenant_id = k.tenant_id and i.intent_id = k.intent_id and i.state = k.state
        and i.ready_epoch is not null and not i.waiting and k.record_id is not null
     returning 1 as one`,
    [...keysOf(generation, rows), recordIds, rows.map(({ state }) => state)],
  );
  if (settled.length !== rows.length) throw new Overtaken();
}

function findingOf(row: ReadyRow): EventItem {
  const finding = {
    tenantId: row.tenant_id,
    intentId: row.intent_id,
    about: {
      auditId: row.audit_id,
      epoch: row.epoch,
      sequence: row.sequence_number,
      isSensitive: row.is_sensitive,
    },
    action: row.action ?? undefined,
    now: row.now,
  };
  return row.state === 'open'
    ? unresolvedRecord({ ...finding, deadline: row.deadline })
    : unexplainedRecord(finding);
}

function keysOf(
  generation: number,
  rows: readonly Pick<DueRow, 'tenant_id' | 'intent_id'>[],
): [number, string[], string[]] {
  return [generation, rows.map(({ tenant_id }) => tenant_id), rows.map(({ intent_id }) => intent_id)];
}
