import { uuidv7 } from '@tallystick/event';
import type { ConsoleService } from './console-service.ts';

/** A name as long as the service takes, without a place to break it. */
const longName = `billing-reconciliation-worker-${'eu-central-1-'.repeat(12)}blue`;
/** A text that is written from right to left, with a mark that would turn the direction of what follows it. */
const rightToLeft = 'خدمة-الفوترة \u202eדוח';

/** Puts into the trail of `acme` what a good day does not have: refused events, gaps, a silent producer, names without mercy, keys that end. */
export async function makeTrouble(service: ConsoleService): Promise<void> {
  const { client } = service;
  const event = (more: object = {}) => ({
    ...{ audit_id: uuidv7(), tenant_id: 'acme', timestamp: new Date().toISOString() },
    ...{ event_type: 'billing.invoice_paid', actor_type: 'service', actor_id: 'billing-worker' },
    ...{ source_service: 'billing', ...more },
  });
  const refused = [
    event({ actor_type: 'ghost' }),
    event({ timestamp: 'yesterday', target_id: longName }),
    event({ event_type: 'Invoice Paid!', target_id: '<b>door</b>' }),
    event({ metadata: { amount: { nested: true } }, source_service: '' }),
    event({ tenant_id: '' }),
    event({ actor_id: rightToLeft, timestamp: rightToLeft }),
  ];
  for (let times = 0; times < 3; times++) await client.events.submit(refused as never);
  const sent = async (name: string, sequences: readonly number[]) => {
    const delivery = { producer_id: uuidv7(), service: name, sequences };
    await client.events.submit(sequences.map(() => event({ source_service: name })) as never, { delivery });
    return delivery.producer_id;
  };
  await sent('turnstiles', [1, 2, 5, 6, 9, 14, 17, 20, 24, 28, 31, 35, 39]);
  await sent(longName.slice(0, 120), [1, 3]);
  await sent(rightToLeft, [1, 4]);
  const silent = await sent('night-batch', [1, 2, 3]);
  await service.tamper(
    `update audit_producers set last_seen_at = last_seen_at - interval '3 hours' where producer_id = $1`,
    [silent],
  );
  await service.key(longName.slice(0, 190), ['events:write', 'events:read', 'log:read'], {
    tenants: ['acme', 'globex', 'initech', 'umbrella-corporation-emea'],
    subject: 'spiffe://example.org/ns/billing/sa/reconciliation-worker',
  });
  await service.key(rightToLeft, ['events:write'], { expiresAt: new Date(Date.now() + 86_400_000) });
  const ended = await client.apiKeys.create({ name: 'old pipeline', scopes: ['events:write'] });
  await client.apiKeys.revoke(ended.id);
}
