import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AuditEvent } from '@tallystick/event';
import { type Kafka, startKafka, type TempDir, tempDir, until } from '@tallystick/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test as testAlways } from 'vitest';
import type { AuditService } from '../../../src/app.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, openSite, type Site, sent, warmUp } from './site.ts';

// A single node of Kafka 3 restarts in the leader epoch in which it stopped, so the two logs can't be told apart.
const test = testAlways.skipIf(process.env.KAFKA_VERSION?.startsWith('3.'));

let kafka: Kafka;
let copies: TempDir;
beforeAll(async () => {
  copies = tempDir('tallystick-partition-');
  [kafka] = await Promise.all([startKafka(), warmUp()]);
}, 180_000);
afterAll(async () => {
  await kafka?.stop();
  copies.remove();
});

let site: Site;
let service: AuditService;
let tenant: string;
const produced: AuditEvent[] = [];
beforeEach(async () => {
  site = await openSite({ kafka });
  service = await site.openService();
  tenant = newTenant();
  produced.length = 0;
});
afterEach(() => site[Symbol.asyncDispose]());

async function produce(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const event = anEvent(tenant);
    produced.push(event);
    await until(() => site.produce([sent(event)]).then(() => true), { timeoutMs: 30_000, intervalMs: 200 });
  }
}

/** Changes the files of the partition while the broker is stopped, like a disk that was restored or swapped. */
async function whileStopped(change: (partition: string, copy: string) => void): Promise<void> {
  const [broker] = kafka.brokers;
  const data = dataOf(broker!.pid!);
  await broker!.stop();
  change(join(data, `${site.topic}-0`), join(copies.path, site.topic));
  await broker!.start();
}

const keep = (partition: string, copy: string) => cpSync(partition, copy, { recursive: true });
const putBack = (partition: string, copy: string) => {
  rmSync(partition, { recursive: true });
  cpSync(copy, partition, { recursive: true });
};

async function expectAllChained(): Promise<void> {
  const records = await expectSoundChain(service.database, tenant);
  expect(records.slice(1).map(({ event }) => event.audit_id)).toEqual(
    produced.map(({ audit_id }) => audit_id),
  );
}

test('a log that was truncated and has grown again stops the partition, and is read again with acceptTruncated', async () => {
  await produce(3);
  await whileStopped(keep);
  await produce(3);
  const first = await site.ingest(service);
  await caughtUp(first, { 0: 6 });
  await first.close();
  const [before] = await positions();
  expect(before).toEqual({ next: 6, epoch: expect.any(Number) });
  await whileStopped(putBack);
  await produce(5);

  const second = await site.ingest(service);
  await until(() => second.status().partitions.some(({ stopped }) => stopped !== undefined), {
    timeoutMs: 30_000,
  });
  expect(second.status().notReadyReasons).toEqual([
    `SOURCE_DIVERGED: ${site.topic}/0 ends at 3 in leader epoch 0, and the store stands at 6 in leader epoch ${before!.epoch}: ` +
      'the topic was truncated, or the cluster restored from an older backup, and has grown again',
  ]);
  await second.close();
  expect(await positions()).toEqual([before]);
  expect(await expectSoundChain(service.database, tenant)).toHaveLength(1 + 6);

  const problems: string[] = [];
  const third = await site.ingest(service, {
    acceptTruncated: true,
    observer: { onProblem: ({ message }) => problems.push(message) },
  });
  await caughtUp(third, { 0: 8 });
  expect(third.status()).toMatchObject({ state: 'consuming', notReadyReasons: [] });
  expect(problems).toContainEqual(expect.stringContaining('ends at 3 in leader epoch 0'));
  await expectAllChained();
  await third.close();

  // The option is needed for one start only.
  const fourth = await site.ingest(service);
  await produce(1);
  await caughtUp(fourth, { 0: 9 });
  await expectAllChained();
}, 180_000);

test('a log that is truncated during the ingest is noticed too', async () => {
  await produce(2);
  await whileStopped(keep);
  await produce(2);
  const broker = kafka.brokers[0]!;
  let frozen = false;
  const ingest = await site.ingest(service, {
    acceptTruncated: true,
    observer: {
      onProblem: ({ message }) => {
        if (frozen || !message.includes('truncated')) return;
        // Next, the ingest commits the offset from which it starts over.
        process.kill(broker.pid!, 'SIGSTOP');
        frozen = true;
      },
    },
  });
  await caughtUp(ingest, { 0: 4 });
  await whileStopped(putBack);
  await produce(4);
  await until(() => frozen, { timeoutMs: 30_000 });
  // While the position is being reset, no periodic commit may overwrite the new offset with the old one.
  await until(() => ingest.status().partitions[0]!.position === undefined);
  await broker.kill('SIGCONT');
  await until(async () => (await expectSoundChain(service.database, tenant)).length === 1 + produced.length, {
    timeoutMs: 60_000,
    intervalMs: 100,
  });
  await expectAllChained();
}, 180_000);

function positions(): Promise<{ next: number; epoch: number | null }[]> {
  return site.query(
    `select next_offset::int as next, case when leader_epoch_at = next_offset then leader_epoch end as epoch
       from audit_source_positions where topic = $1`,
    [site.topic],
  );
}

/** The broker's data directory, which is beside its properties file. */
function dataOf(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return join(dirname(words.find((word) => word.endsWith('server.properties'))!), 'data');
}
