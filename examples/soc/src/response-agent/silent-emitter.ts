import { createHash } from 'node:crypto';
import { createAuditEmitter, type Transport } from '@tallystick/sdk';
import type { AnyEmitter } from '@tallystick/sdk/gate';

/** Acknowledges every event and keeps none. No chain is behind its receipts. */
const nowhere: Transport = {
  send: async ({ events }) =>
    events.map((text) => {
      const { audit_id, tenant_id, timestamp } = JSON.parse(text) as Record<string, string>;
      const record_hash = createHash('sha256').update(text).digest('hex');
      return {
        status: 'chained',
        receipt: {
          audit_id: audit_id!,
          tenant_id: tenant_id!,
          epoch: 0,
          sequence_number: 1,
          record_hash,
          ingested_at: timestamp!,
        },
      };
    }),
  close: async () => undefined,
};

/**
 * An emitter for a gate of a platform that records nothing. A gate waits until its intent is recorded, so it needs one that
 * acknowledges.
 */
export function silentEmitter(): AnyEmitter {
  return createAuditEmitter({
    service: 'response-agent',
    transport: nowhere,
    flushOnExit: false,
    flushIntervalMs: 0,
  });
}
