import { createHash } from 'node:crypto';
import type { Transport } from '@tallystick/sdk';

/** Acknowledges every event at once, so that only the emitters' own work is measured. */
export const sink: Transport = {
  send: async ({ events }) =>
    events.map((text) => {
      const { audit_id, tenant_id, timestamp } = JSON.parse(text) as Record<string, string>;
      const record_hash = createHash('sha256').update(text).digest('hex');
      const place = { epoch: 0, sequence_number: 1, record_hash, ingested_at: timestamp! };
      return { status: 'chained', receipt: { audit_id: audit_id!, tenant_id: tenant_id!, ...place } };
    }),
  close: async () => undefined,
};
