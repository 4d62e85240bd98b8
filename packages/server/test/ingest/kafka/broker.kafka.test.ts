import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Kafka, startKafka, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, openSite, sent, warmUp } from './site.ts';

let kafka: Kafka;
beforeAll(async () => {
  [kafka] = await Promise.all([startKafka(), warmUp()]);
}, 180_000);
afterAll(() => kafka?.stop());

test('after a broker was killed and restarted, the member joins its group again and reads on', async () => {
  await using site = await openSite({ kafka });
  const tenant = newTenant();
  const service = await site.openService();
  const ingest = await site.ingest(service);
  const [before, after] = [anEvent(tenant), anEvent(tenant)];
  await site.produce([sent(before)]);
  await caughtUp(ingest, { 0: 1 });
  await kafka.brokers[0]!.kill('SIGKILL');
  await until(() => ingest.status().notReadyReasons.length > 0, { timeoutMs: 30_000 });
  expect(ingest.status().notReadyReasons[0]).toMatch(
    /^Kafka: the coordinator of the group has not answered for \d+ s/,
  );
  await kafka.brokers[0]!.start();
  await until(() => site.produce([sent(after)]).then(() => true), { timeoutMs: 30_000, intervalMs: 200 });
  await until(async () => (await expectSoundChain(service.database, tenant)).length === 3, {
    timeoutMs: 30_000,
    intervalMs: 50,
  });
  await until(() => ingest.status().notReadyReasons.length === 0, { timeoutMs: 30_000 });
}, 120_000);

test('a record batch that is damaged on the broker stops its partition and is not skipped', async () => {
  await using site = await openSite({ kafka });
  const tenant = newTenant();
  const service = await site.openService();
  await site.produce([sent(anEvent(tenant, { actor_id: 'genuine-actor' }))]);
  await site.produce([sent(anEvent(tenant))]);
  const [broker] = kafka.brokers;
  const log = join(logDirectory(broker!.pid!), `${site.topic}-0`, '00000000000000000000.log');
  await broker!.stop();
  const bytes = readFileSync(log);
  const at = bytes.indexOf('genuine-actor');
  expect(at).toBeGreaterThan(0);
  bytes.write('altered-actor', at);
  writeFileSync(log, bytes);
  await broker!.start();

  const ingest = await site.ingest(service);
  await until(() => ingest.status().partitions.some(({ stopped }) => stopped !== undefined), {
    timeoutMs: 30_000,
  });
  expect(ingest.status().notReadyReasons).toEqual([
    `SOURCE_CORRUPT: ${site.topic}/0 can't be read at 0: SOURCE_CORRUPT: the record batch at 0 does not match its checksum`,
  ]);
  expect(ingest.status().partitions[0]!.position).toBe(0);
  expect(await site.query('select 1 from audit_records')).toEqual([]);
}, 120_000);

/** The broker's data directory, which is beside its properties file. */
function logDirectory(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return join(dirname(words.find((word) => word.endsWith('server.properties'))!), 'data');
}
