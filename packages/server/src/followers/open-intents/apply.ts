import { parseTimestamp } from '@tallystick/event';
import { submitterOf } from '../../chain/accounting.ts';
import type { Session } from '../../store/database.ts';
import type { FollowedPage, FollowedRecord } from '../follower.ts';
import { type AgentRecord, actionOf, readAgentRecord, storable } from './agent-record.ts';
import {
  deleteRows,
  type IntentRow,
  notePassed,
  type ProducerProgress,
  readRows,
  storeRows,
} from './rows.ts';
import type { Patience } from './sources.ts';

/**
 * Applies the records of a page to the rows of open intents.
 *
 * - An intent opens a row, and its end deletes the row: what has ended is in the chain, and needs no row.
 * - An end whose intent the chain does not have yet makes a row that waits for the intent. The end of an intent that has ended already is
 *   not such an end: the chain before this page is asked.
 * - An approval of the service's desk holds the deadline until it ends. Where the policy asks for an approval and the service sees none, the
 *   intent has as long as one without a deadline.
 * - The service's own finding stays until the missing part comes.
 */
export async function applyAgentRecords(
  session: Session,
  { tenantId, generation, records }: FollowedPage,
  patience: Pick<Patience, 'timeoutMs' | 'graceMs'>,
): Promise<void> {
  const found = records.flatMap((each) => {
    const read = readAgentRecord(each, patience.timeoutMs);
    return read === undefined ? [] : [{ each, read }];
  });
  if (found.length > 0) {
    const ids = [...new Set(found.map(({ each, read }) => idOf(each, read)))];
    const stored = await readRows(session, generation, tenantId, ids);
    const rows = new Map(stored);
    const ended = found.flatMap(({ read }) =>
      read.kind === 'end' && read.intentId !== undefined && !rows.has(read.intentId) ? [read.intentId] : [],
    );
    const earlier = await intentsBefore(session, tenantId, records[0]!, ended);
    // An end on this page may close such a row, and another end may come after it.
    for (const { intent_id, state } of stored.values())
      if (state === 'open' || state === 'unresolved') earlier.add(intent_id);
    for (const { each, read } of found) {
      const row = next(rows.get(idOf(each, read)), each, read, earlier, patience);
      if (row === undefined) rows.delete(idOf(each, read));
      else rows.set(row.intent_id, row);
      if (read.kind === 'intent') earlier.add(read.intentId);
    }
    await storeRows(
      session,
      generation,
      tenantId,
      [...rows].flatMap(([id, row]) => (row === stored.get(id) ? [] : [row])),
    );
    await deleteRows(
      session,
      generation,
      tenantId,
      [...stored.keys()].filter((id) => !rows.has(id)),
    );
  }
  await notePassed(session, generation, tenantId, progressOf(records));
}

/** The row after a record; undefined: none. */
function next(
  row: IntentRow | undefined,
  each: FollowedRecord,
  read: AgentRecord,
  earlier: ReadonlySet<string>,
  { timeoutMs, graceMs }: Pick<Patience, 'timeoutMs' | 'graceMs'>,
): IntentRow | undefined {
  switch (read.kind) {
    case 'intent': {
      // An end that came first waited for it. Both are in the chain now.
      if (row !== undefined) return undefined;
      const opened = rowOf(each, read.intentId, 'open');
      const deadline = opened.ingested_at + read.durationMs;
      return {
        ...opened,
        duration_ms: read.durationMs,
        deadline,
        client_deadline: read.deadline,
        check_at: deadline + graceMs,
      };
    }
    case 'end': {
      if (row?.state === 'open' || row?.state === 'unresolved') return undefined;
      // An effect must be explained, also if an event before it said that the action was given up or denied.
      const needsIntent = row?.state === 'early' && read.isEffect && row.check_at === null;
      if (row !== undefined && !needsIntent) return row;
      if (read.intentId !== undefined && earlier.has(read.intentId)) return undefined;
      const early = rowOf(each, read.intentId ?? each.record.event.audit_id, 'early');
      // That something was given up or denied needs no explanation, but its intent may still come.
      return { ...early, check_at: read.isEffect ? early.ingested_at + graceMs : null };
    }
    case 'asked': {
      // A desk of the application's own may take longer than the effect may, and the service does not see when it decides.
      if (row?.state !== 'open' || row.waiting) return row;
      return withDeadline(row, Math.max(row.deadline, row.ingested_at + timeoutMs), graceMs);
    }
    case 'approval': {
      if (row?.state !== 'open') return row;
      if (read.pending) return { ...row, waiting: true, check_at: null };
      const now = Date.parse(each.record.ingested_at);
      return withDeadline({ ...row, waiting: false }, now + row.duration_ms, graceMs);
    }
    case 'finding': {
      const from = read.state === 'unresolved' ? 'open' : 'early';
      return row?.state === from
        ? { ...row, state: read.state, check_at: null, record_id: String(each.record.event.audit_id) }
        : row;
    }
  }
}

function withDeadline(row: IntentRow, deadline: number, graceMs: number): IntentRow {
  const client_deadline = row.client_deadline + Math.max(0, deadline - row.deadline);
  return { ...row, deadline, client_deadline, check_at: deadline + graceMs };
}

function rowOf(
  { epoch, sequence, record }: FollowedRecord,
  intentId: unknown,
  state: IntentRow['state'],
): IntentRow {
  const { event, ingest } = record;
  const ingestedAt = Date.parse(record.ingested_at);
  return {
    intent_id: String(intentId),
    state,
    audit_id: String(event.audit_id),
    epoch,
    sequence_number: sequence,
    ingested_at: ingestedAt,
    event_type: String(event.event_type),
    actor_type: storable(String(event.actor_type)),
    actor_id: storable(String(event.actor_id)),
    action: actionOf(event) ?? null,
    target_type: textOrNull(event.target_type),
    target_id: textOrNull(event.target_id),
    is_sensitive: event.is_sensitive === true,
    duration_ms: 0,
    deadline: ingestedAt,
    client_deadline: ingestedAt,
    waiting: false,
    source: ingest.source,
    submitter: submitterOf(ingest),
    producer_id: ingest.producer_id ?? null,
    producer_seq: ingest.producer_seq ?? null,
    check_at: null,
    record_id: null,
  };
}

function idOf({ record }: FollowedRecord, read: AgentRecord): string {
  return read.intentId ?? String(record.event.audit_id);
}

/** One probe of the index (tenant_id, audit_id) for each intent and partition. For the `offset 0`, see `storedEventsSql`. */
export const declaredIntentsSql = `
  select r.audit_id::text as id
    from unnest($2::uuid[]) as k(audit_id)
   cross join lateral (
     select a.tenant_id, a.audit_id, a.epoch, a.sequence_number, a.event_type
       from audit_records a where a.tenant_id = $1 and a.audit_id = k.audit_id offset 0) r
    join audit_chain_ranges g on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.event_type = 'agent.action.intended' and (r.epoch, r.sequence_number) < ($3::integer, $4::bigint)`;

/** Which of these intents the chain has before a record. Later ones are not looked at: they are read in their turn. */
async function intentsBefore(
  session: Session,
  tenantId: string,
  { epoch, sequence }: FollowedRecord,
  intentIds: readonly string[],
): Promise<Set<string>> {
  if (intentIds.length === 0) return new Set();
  const rows = await session.query<{ id: string }>(declaredIntentsSql, [
    tenantId,
    [...new Set(intentIds)],
    epoch,
    sequence,
  ]);
  return new Set(rows.map(({ id }) => id));
}

/** For each producer on the page, its event with the latest time. */
function progressOf(records: readonly FollowedRecord[]): ProducerProgress[] {
  const latest = new Map<string, ProducerProgress>();
  for (const { record } of records) {
    const { producer_id, producer_seq } = record.ingest;
    if (producer_id === undefined || producer_seq === undefined) continue;
    const at = parseTimestamp(String(record.event.timestamp));
    const submitter = submitterOf(record.ingest);
    const key = `${submitter}\n${producer_id}`;
    if (!(at > (latest.get(key)?.at ?? Number.NEGATIVE_INFINITY))) continue;
    latest.set(key, { submitter, producer_id, seq: producer_seq, at });
  }
  return [...latest.values()];
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? storable(value) : null;
}
