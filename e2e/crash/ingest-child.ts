/**
 * A process that ingests events until it is killed. It loads its modules, then waits for one line on stdin with its orders.
 * It writes each event that it is about to submit, and each acknowledgement, to stdout. Stdout is a file, so that the lines
 * are still there after the kill.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@tallystick/event';
import { AuditService, type AuditServiceOptions, ServerError } from '@tallystick/server';

export interface Orders {
  readonly store: AuditServiceOptions['store'];
  readonly signerDirectory: string;
  readonly logName: string;
  readonly tenants: readonly string[];
  /** Events that an earlier process submitted and that were not acknowledged. They are submitted again first. */
  readonly unacknowledged: readonly { readonly tenant: string; readonly id: string }[];
}

/** Makes the same event for the same id, so that submitting it again is not a conflict. */
function eventText(tenant: string, id: string): string {
  return JSON.stringify({
    audit_id: id,
    tenant_id: tenant,
    timestamp: '2026-01-02T03:04:05.678Z',
    event_type: 'access.granted',
    actor_type: 'service',
    actor_id: `actor of ${id}`,
    source_service: 'crash-test',
    metadata: { filler: id.repeat(10) },
  });
}

async function submit(service: AuditService, tenant: string, ids: readonly string[]): Promise<void> {
  writeSync(1, ids.map((id) => `sent ${tenant} ${id}\n`).join(''));
  const events = ids.map((id) => eventText(tenant, id));
  for (;;) {
    try {
      const results = await service.submit({ events, source: 'crash-test', trust: 'operator' });
      const lines = results.map((result, at) => {
        if (!('receipt' in result)) throw new Error(`refused: ${JSON.stringify(result.error)}`);
        return `ack ${tenant} ${ids[at]} ${result.receipt.sequence_number} ${result.status}\n`;
      });
      return void writeSync(1, lines.join(''));
    } catch (error) {
      // The test also kills the store. Then the outcome is unknown, and the same events are submitted again.
      if (!(error instanceof ServerError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      await delay(20);
    }
  }
}

async function ingest(service: AuditService, tenant: string): Promise<never> {
  for (let round = 0; ; round++) {
    const size = 1 + ((round * 7) % 20);
    await submit(
      service,
      tenant,
      Array.from({ length: size }, () => uuidv7()),
    );
  }
}

const orders = JSON.parse(await firstLine()) as Orders;
const service = await AuditService.open({
  store: orders.store,
  signerDirectory: orders.signerDirectory,
  logName: orders.logName,
  checkpointIntervalMs: 20,
});
for (const [tenant, pending] of Map.groupBy(orders.unacknowledged, (event) => event.tenant)) {
  await submit(
    service,
    tenant,
    pending.map((event) => event.id),
  );
}
// Two loops for each tenant, so that submissions share transactions and a kill hits several of them.
await Promise.all([...orders.tenants, ...orders.tenants].map((tenant) => ingest(service, tenant)));

async function firstLine(): Promise<string> {
  for await (const text of createInterface({ input: process.stdin })) return text;
  throw new Error('no orders');
}
