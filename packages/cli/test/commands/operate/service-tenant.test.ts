import { join } from 'node:path';
import { AuditService } from '@tallystick/server';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const store = join(dir.path, 'store');
const env = { XDG_CONFIG_HOME: dir.path, TALLYSTICK_DATA: store, TALLYSTICK_SERVICE_TENANT: 'ops' };

test("what belongs to no tenant is recorded in the chain of the service's own", async () => {
  await prepareEmbeddedStore(store);
  const service = await AuditService.open({
    store: { directory: store },
    logName: 'tally.local',
    serviceTenant: 'ops',
  });
  await service.submit({ events: ['no event'], source: 'test', trust: 'operator' });
  await service.close();
  const purged = await tally(['dlq', 'purge', '--reason', 'JSON_INVALID', '--yes'], { env });
  expect([purged.exitCode, purged.stdout]).toEqual([0, '1  JSON_INVALID\n']);
  const events = await tally(['events', '--tenant', 'ops', '--json'], { env });
  expect(events.json()).toMatchObject([
    { event_type: 'audit.dead_letters_purged', tenant_id: 'ops' },
    { event_type: 'audit.books_opened' },
    { event_type: 'delivery.dead_lettered' },
    { event_type: 'system.genesis' },
  ]);
  expect((await tally(['tenants', '--json'], { env })).stdout).not.toContain('tallystick');
}, 60_000);

test.each([
  ['the option', ['--service-tenant', 'two words'], {}],
  ['the environment', [], { TALLYSTICK_SERVICE_TENANT: 'two words' }],
])('an invalid service tenant is a usage error: %s', async (_, more, given) => {
  const ran = await tally(['serve', '--log-name', 'audit.test', ...more], { env: { ...env, ...given } });
  expect(ran.stderr).toContain('the service tenant "two words" is not a valid tenant id (USAGE)');
  expect(ran.exitCode).toBe(3);
});
