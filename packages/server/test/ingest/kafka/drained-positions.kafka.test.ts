import { until } from '@tallystick/testing';
import { beforeAll, expect, test } from 'vitest';
import { anEvent, newTenant } from '../../events.ts';
import { openSite, type Site, sent, warmUp } from './site.ts';

beforeAll(warmUp, 120_000);

const eventually = { timeoutMs: 60_000, intervalMs: 50 };
const hour = 3_600_000;

const intent = (tenant: string, ms: number) => {
  const event = anEvent(tenant);
  const deadline = new Date(Date.parse(event.timestamp) + ms).toISOString();
  return { ...event, event_type: 'agent.action.intended', context: { action: 'refund', deadline } };
};
const rows = (site: Site, tenant: string) =>
  site.query<{ state: string; looked_at: boolean }>(
    'select state, check_at > deadline as looked_at from audit_open_intents where tenant_id = $1',
    [tenant],
  );
const findings = (site: Site, tenant: string) =>
  site.query("select 1 from audit_records where tenant_id = $1 and event_type = 'agent.action.unresolved'", [
    tenant,
  ]);

test('an end that waits in the topic is not missing, and one that is not there is, once the topic was read to its end', {
  timeout: 180_000,
}, async () => {
  await using site = await openSite();
  const [tenant, other] = [newTenant(), newTenant()];
  const service = await site.openService({
    followers: { tickMs: 50, mergeMs: 200 },
    openIntents: { graceMs: 0 },
  });
  const first = await site.ingest(service, { drainedIntervalMs: 50 });
  const declared = intent(tenant, hour);
  await site.produce([sent(declared)]);
  await until(async () => (await rows(site, tenant)).length === 1, eventually);
  await until(async () => {
    const drained = 'select 1 from audit_source_positions where topic = $1 and drained_at is not null';
    return (await site.query(drained, [site.topic])).length === 1;
  }, eventually);
  await first.close();

  // No replica reads the topic. The deadline passes, and the end waits in the topic.
  await site.produce([
    sent({ ...anEvent(tenant), event_type: 'agent.action.completed', parent_id: declared.audit_id }),
  ]);
  await site.query(
    'update audit_open_intents set deadline = clock_timestamp(), check_at = clock_timestamp() where tenant_id = $1',
    [tenant],
  );
  await until(async () => (await rows(site, tenant)).every(({ looked_at }) => looked_at), eventually);
  expect(await rows(site, tenant)).toMatchObject([{ state: 'open' }]);
  expect(await findings(site, tenant)).toEqual([]);

  await site.ingest(service, { drainedIntervalMs: 50 });
  await until(async () => (await rows(site, tenant)).length === 0, eventually);
  await site.produce([sent(intent(other, 0))]);
  await until(async () => (await findings(site, other)).length === 1, eventually);
  expect(await findings(site, tenant)).toEqual([]);
});
