import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import { httpTransport } from '@tallystick/sdk/http';
import type { RunningService, Terminal } from 'tallystick/demo/story-parts';

const service = 'edge-collector';
const tenantId = 'acme';
/** The collector sends so many batches of so many events. */
const batches = 3;
const eventsPerBatch = 3;
/** The batch that does not arrive. */
const lostBatch = 2;

/**
 * Something that is missing, so that a reader of the trail can find it: a proxy confirms a batch to its sender and forwards nothing. The
 * sender believes that its events are chained. The numbers that it gives them show which are missing.
 */
export async function loseBatch(
  terminal: Terminal,
  { url, key, client }: Pick<RunningService, 'url' | 'key' | 'client'>,
): Promise<void> {
  const audit = createAuditEmitter({ service, transport: lossyProxy(httpTransport({ url, apiKey: key })) });
  for (let batch = 1; batch <= batches; batch += 1) {
    for (let at = 1; at <= eventsPerBatch; at += 1) {
      audit
        .for(tenantId)
        .action('telemetry.collected')
        .actor('service', service)
        .target('host', `line-${at}`)
        .succeeded()
        .emit();
    }
    await audit.flush();
  }
  await audit.close();
  const { producers } = await client.producers.list({ tenant_id: tenantId });
  const missing = producers.filter((producer) => producer.service === service).flatMap(({ open }) => open);
  const ranges = missing.map(([first, last]) => `${first} to ${last}`).join(', ');
  if (terminal.json)
    return await terminal.jsonLine({ step: 'missing', ok: true, service, tenant: tenantId, missing });
  await terminal.line();
  await terminal.line(
    `  Meanwhile a proxy confirmed a batch of ${service} and lost it. The trail says what is missing:`,
  );
  await terminal.line(`    events ${ranges} of ${service}, of tenant ${tenantId}`);
}

/** The transport as a faulty proxy makes it: it breaks the contract once. */
function lossyProxy(transport: Transport): Transport {
  let sent = 0;
  return {
    send: async (batch, signal) => {
      if (batch.events.length > 0) sent += 1;
      if (batch.events.length === 0 || sent !== lostBatch) return await transport.send(batch, signal);
      return batch.events.map((event) => ({
        audit_id: (JSON.parse(event) as { readonly audit_id: string }).audit_id,
        status: 'accepted',
      }));
    },
    close: async () => await transport.close(),
  };
}
