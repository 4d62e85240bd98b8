import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import type { AuditEmitter, AuditEventInput } from '@tallystick/sdk';
import type { Kafka } from '@tallystick/testing';
import pg from 'pg';
import { sampleEvent } from './sample-event.ts';

/** The load of the benchmarks of latency: 1,000 events/s of 1 KB, for eight tenants, and a client that waits for each of them. */

export const perSecond = 1_000;
/** How often events are emitted, and the emitter's flush interval. */
export const tickMs = 10;
const tenants = 8;
/** With a shorter interval, the polling itself would take most of the time on two cores. */
const pollMs = 10;

/**
 * Emits events at a steady rate.
 *
 * @param onTick called before each tick with the time since the start, ms
 */
export async function emitSteadily(
  emitter: AuditEmitter,
  durationMs: number,
  { onEmit, onTick }: { onEmit: (id: string) => void; onTick?: (ms: number) => void },
): Promise<void> {
  const start = performance.now();
  for (let tick = 0; performance.now() - start < durationMs; tick++) {
    for (let event = 0; event < (perSecond * tickMs) / 1000; event++) {
      const { tenant_id, audit_id, source_service, timestamp, ...sample } = sampleEvent('');
      const tenantId = `tenant-${event % tenants}`;
      onEmit(emitter.emit({ ...(camelCase(sample) as unknown as AuditEventInput), tenantId }).id);
    }
    onTick?.(performance.now() - start);
    await delay(Math.max(0, start + (tick + 1) * tickMs - performance.now()));
  }
}

/** Turns the field names of the wire format into those of the SDK. */
function camelCase(event: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([key, value]) => [
      key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

export async function createTopics(kafka: Kafka): Promise<void> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: kafka.bootstrap });
  await admin.createTopics({ topics: ['audit.events', 'audit.gateway'], partitions: 4, replicas: 1 });
  await admin.close();
}

/**
 * Polls the database for new records, and reports each event when it is found.
 *
 * It reads heads first, and then records by the index that has the epoch, as the service's own followers do. Without the
 * epoch, each poll would read all records of each tenant: that took 37 of 61 measured ms.
 */
export async function watch(
  url: string,
  waiting: { readonly size: number; delete(id: string): boolean },
  signal: AbortSignal,
  onSeen: (id: string) => void,
): Promise<{ until(done: () => boolean): Promise<void> }> {
  const client = new pg.Client(url);
  await client.connect();
  const roles = await client.query<{ writer: string }>('select writer from tally_roles');
  await client.query(`set role ${roles.rows[0]!.writer}`);
  const watched = Array.from({ length: tenants }, (_, index) => `tenant-${index}`);
  const seenTo = new Map<string, number>();
  const poll = async () => {
    while (!signal.aborted) {
      const { rows } = await client.query<{ tenant_id: string; sequence_number: string; audit_id: string }>({
        // A prepared statement, because planning took longer than the query.
        name: 'watch',
        text: `select r.tenant_id, r.sequence_number, r.audit_id
                 from unnest($1::text[], $2::bigint[]) as seen (tenant_id, after)
                 join audit_chain_state head on head.tenant_id = seen.tenant_id and head.last_sequence > seen.after,
                      lateral (select tenant_id, sequence_number, audit_id from audit_records
                                where tenant_id = seen.tenant_id and epoch = head.epoch
                                  and sequence_number > seen.after
                                order by sequence_number limit 1000) r`,
        values: [watched, watched.map((tenantId) => seenTo.get(tenantId) ?? -1)],
      });
      for (const { tenant_id, sequence_number, audit_id } of rows) {
        seenTo.set(tenant_id, Math.max(seenTo.get(tenant_id) ?? -1, Number(sequence_number)));
        if (waiting.delete(audit_id)) onSeen(audit_id);
      }
      await delay(pollMs);
    }
    await client.end();
  };
  const polling = poll();
  return {
    async until(done) {
      for (const deadline = performance.now() + 30_000; !done(); ) {
        if (performance.now() > deadline) throw new Error(`${waiting.size} events were not found`);
        await Promise.race([polling, delay(20)]);
      }
    },
  };
}
