import type { Session } from '../../store/database.ts';

/** A row of `audit_open_intents`, as far as records change it. Times are ms since the epoch. */
export interface IntentRow {
  readonly intent_id: string;
  readonly state: 'open' | 'early' | 'unresolved' | 'unexplained';
  readonly audit_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  readonly ingested_at: number;
  readonly event_type: string;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly action: string | null;
  readonly target_type: string | null;
  readonly target_id: string | null;
  readonly is_sensitive: boolean;
  readonly duration_ms: number;
  readonly deadline: number;
  readonly client_deadline: number;
  readonly waiting: boolean;
  readonly source: string;
  /** Whose account the number belongs to. */
  readonly submitter: string;
  readonly producer_id: string | null;
  readonly producer_seq: number | null;
  readonly check_at: number | null;
  /** The service's record about it. */
  readonly record_id: string | null;
}

const columns = [
  'intent_id',
  'state',
  'audit_id',
  'epoch',
  'sequence_number',
  'ingested_at',
  'event_type',
  'actor_type',
  'actor_id',
  'action',
  'target_type',
  'target_id',
  'is_sensitive',
  'duration_ms',
  'deadline',
  'client_deadline',
  'waiting',
  'source',
  'submitter',
  'producer_id',
  'producer_seq',
  'check_at',
  'record_id',
] as const satisfies readonly (keyof IntentRow)[];

const times = new Set<string>(['ingested_at', 'deadline', 'client_deadline', 'check_at']);
const ids = new Set<string>(['intent_id', 'audit_id', 'producer_id', 'record_id']);

const selected = columns.map((name) =>
  times.has(name)
    ? `(extract(epoch from ${name}) * 1000)::float8 as ${name}`
    : ids.has(name)
      ? `${name}::text`
      : name,
);

/** The rows of these intents. They can't change meanwhile: only the owner of the tenant's cursor changes them, and tick() by condition. */
export async function readRows(
  session: Session,
  generation: number,
  tenantId: string,
  intentIds: readonly string[],
): Promise<Map<string, IntentRow>> {
  const rows = await session.query<IntentRow>(
    `select ${selected.join(', ')} from audit_open_intents
      where generation = $1::integer and tenant_id = $2 and intent_id = any ($3::uuid[]) for update`,
    [generation, tenantId, intentIds],
  );
  return new Map(rows.map((row) => [row.intent_id, row]));
}

/**
 * Stores rows as they are now. What was noted about the producer is forgotten when the deadline moves: an event from after the old
 * deadline says nothing about what the producer emitted before the new one.
 */
export async function storeRows(
  session: Session,
  generation: number,
  tenantId: string,
  rows: readonly IntentRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const sqlTypes: Partial<Record<keyof IntentRow, string>> = {
    intent_id: 'uuid',
    audit_id: 'uuid',
    producer_id: 'uuid',
    record_id: 'uuid',
    epoch: 'integer',
    sequence_number: 'bigint',
    producer_seq: 'bigint',
    duration_ms: 'bigint',
    is_sensitive: 'boolean',
    waiting: 'boolean',
  };
  const typed = columns.map((name) => `${name} ${times.has(name) ? 'float8' : (sqlTypes[name] ?? 'text')}`);
  const values = columns.map((name) => (times.has(name) ? `to_timestamp(u.${name} / 1000)` : `u.${name}`));
  const replaced = columns.filter((name) => name !== 'intent_id').map((name) => `${name} = excluded.${name}`);
  await session.query(
    `insert into audit_open_intents as i (generation, tenant_id, ${columns.join(', ')})
     select $1::integer, $2, ${values.join(', ')} from jsonb_to_recordset($3::jsonb) as u(${typed.join(', ')})
     on conflict (generation, tenant_id, intent_id) do update
        set ${replaced.join(', ')}, ready_epoch = null, ready_sequence = null,
            passed_seq = case when i.client_deadline = excluded.client_deadline then i.passed_seq end`,
    [generation, tenantId, JSON.stringify(rows)],
  );
}

export async function deleteRows(
  session: Session,
  generation: number,
  tenantId: string,
  intentIds: readonly string[],
): Promise<void> {
  if (intentIds.length === 0) return;
  await session.query(
    'delete from audit_open_intents where generation = $1::integer and tenant_id = $2 and intent_id = any ($3::uuid[])',
    [generation, tenantId, intentIds],
  );
}

/** The newest event of a producer on a page, by the clock of the producer. */
export interface ProducerProgress {
  readonly submitter: string;
  readonly producer_id: string;
  readonly seq: number;
  /** Its timestamp, ms since the epoch. */
  readonly at: number;
}

/** Notes for open intents that their producer has emitted something after their deadline. */
export async function notePassed(
  session: Session,
  generation: number,
  tenantId: string,
  progress: readonly ProducerProgress[],
): Promise<void> {
  if (progress.length === 0) return;
  await session.query(
    `update audit_open_intents i set passed_seq = p.seq
       from jsonb_to_recordset($3::jsonb) as p(submitter text, producer_id uuid, seq bigint, at float8)
      where i.generation = $1::integer and i.tenant_id = $2 and i.producer_id = p.producer_id and i.submitter = p.submitter
        and i.state = 'open' and i.passed_seq is null and p.seq > i.producer_seq
        and to_timestamp(p.at / 1000) > i.client_deadline`,
    [generation, tenantId, JSON.stringify(progress)],
  );
}
