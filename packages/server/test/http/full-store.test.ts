import { join } from 'node:path';
import { prepareEmbeddedStore, smallDisk } from '@tallystick/testing';
import { expect, type TestContext, test } from 'vitest';
import { event, Harness } from './harness.ts';

function skipWithout({ task, skip }: TestContext, part: string): never {
  if (process.env.REQUIRE_ALL === '1') throw new Error(`REQUIRE_ALL=1, but this machine has no ${part}`);
  console.warn(`\n*** NOT RUN: "${task.name}": this machine has no ${part}. ***\n`);
  return skip(part);
}

test('on a full disk, writes answer 507 with Retry-After, reads go on, and the service is not ready', {
  timeout: 120_000,
}, async (context) => {
  using disk = smallDisk(512 * 1024 * 1024) ?? skipWithout(context, 'right to mount');
  const directory = join(disk.path, 'data');
  await prepareEmbeddedStore(directory);
  await using http = await Harness.open({ store: { directory } });
  await http.ingest([event({ tenant_id: 'acme' })], http.admin);

  disk.fill(32 * 1024 * 1024);
  const body = event({ tenant_id: 'acme' });
  const refused = await http.call('POST', '/v1/audit/events', { body });
  expect(refused.status).toBe(507);
  expect(refused.json).toMatchObject({ code: 'STORE_FULL', detail: expect.stringContaining('MiB left') });
  expect(refused.headers.get('retry-after')).toBe('10');
  expect((await http.get('/v1/audit/events?tenant_id=acme')).status).toBe(200);
  expect((await http.call('GET', '/health')).status).toBe(200);
  expect((await http.call('GET', '/ready')).json).toMatchObject({ status: 'unavailable' });

  disk.empty();
  expect((await http.call('POST', '/v1/audit/events', { body })).status).toBe(201);
  expect((await http.get('/v1/dead-letters')).json.dead_letters).toEqual([]);
});
