import type { ConsoleService } from './console-service.ts';

/** A record that an attacker has changed in the database. */
export interface ChangedRecord {
  readonly audit_id: string;
  readonly sequence: number;
}

/** One record of a tenant of the reference platform says that another actor did it, in the bytes and in the column. */
export async function changeRecord(service: ConsoleService, tenant: string): Promise<ChangedRecord> {
  const filters = { event_type: 'ctem.exposure_scored' };
  const [event] = (await service.client.events.list({ tenant_id: tenant, filters, limit: 1 })).events;
  const sequence = Number(event!.sequence_number);
  const actor = (id: unknown) => `"actor_id":${JSON.stringify(id)}`;
  await service.tamper(
    `update audit_records set actor_id = 'eve', record = replace(record, $3, $4)
      where tenant_id = $1 and sequence_number = $2`,
    [tenant, sequence, actor(event!.actor_id), actor('eve')],
  );
  return { audit_id: String(event!.audit_id), sequence };
}
