import { createAuditEmitter, type Transport } from '@tallystick/sdk';

/** The demo's tenants. */
export const tenants = ['acme', 'globex', 'initech'] as const;
const emittersPerTenant = 4;
const eventsPerEmitter = 100;

export interface Emitted {
  readonly events: number;
  readonly emitters: number;
  readonly delivered: number;
  readonly milliseconds: number;
}

/** Several services of each tenant emit at the same time through the SDK, each with its own buffer and connection. */
export async function emitEverything(transport: () => Transport): Promise<Emitted> {
  const start = performance.now();
  const reports = await Promise.all(
    tenants.flatMap((tenant) =>
      Array.from({ length: emittersPerTenant }, (_, index) =>
        emitSome(tenant, `agent-${index + 1}`, transport()),
      ),
    ),
  );
  return {
    events: reports.reduce((sum, report) => sum + report.emitted, 0),
    emitters: reports.length,
    delivered: reports.reduce((sum, report) => sum + report.delivered, 0),
    milliseconds: Math.round(performance.now() - start),
  };
}

async function emitSome(tenant: string, service: string, transport: Transport) {
  const audit = createAuditEmitter({ service, transport, batchSize: 50, flushIntervalMs: 20 });
  for (let number = 1; number <= eventsPerEmitter; number++) {
    audit
      .for(tenant)
      .action('response.executed')
      .actor('agent', service)
      .target('host', `host-${number}`)
      .succeeded()
      .withMetadata({ durationMs: 40 + number, ticket: `INC-${number}` })
      .withCorrelation(`investigation-${Math.ceil(number / 10)}`)
      .emit();
  }
  return await audit.close();
}
