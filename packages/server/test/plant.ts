import type { TestStore } from './stores.ts';

/** Where to plant a row: it copies record 1 of the tenant's chain. */
export interface Planting {
  readonly tenant: string;
  readonly epoch?: number;
  readonly sequence: number;
  /** @defaultValue a random one */
  readonly auditId?: string;
  /** Interval of SQL to add to the time, which selects the partition. */
  readonly shift?: string;
}

/** SQL that plants a row into the partition of the current month. */
export function plantSql(
  { tenant, epoch = 1, sequence, auditId, shift = '0' }: Planting,
  into = 'audit_records',
): string {
  const columns = [
    'event_type',
    'event_category',
    'severity',
    'actor_type',
    'actor_id',
    'target_type',
    'target_id',
    'investigation_id',
    'alert_id',
    'correlation_id',
    'trace_id',
    'outcome_status',
    'source_service',
    'is_sensitive',
    'previous_hash',
    'record_hash',
    'record',
  ].join(', ');
  const id = auditId === undefined ? 'gen_random_uuid()' : `'${auditId}'::uuid`;
  return `insert into ${into} (tenant_id, epoch, sequence_number, audit_id, ingested_at, "timestamp", ${columns})
    select tenant_id, ${epoch}, ${sequence}, ${id}, ingested_at + interval '${shift}', "timestamp", ${columns}
      from audit_records where tenant_id = '${tenant}' and epoch = 1 and sequence_number = 1`;
}

/** Plants a row with the rights of the owner, whom the triggers do not bind. */
export async function plant(store: Pick<TestStore, 'asOwner'>, planting: Planting): Promise<void> {
  await store.asOwner(plantSql(planting));
}
