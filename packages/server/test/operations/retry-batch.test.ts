import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import { toDeadLetter } from '../../src/chain/dead-letters.ts';
import { messageSource } from '../../src/chain/source-position.ts';
import { readKeptBatch } from '../../src/ingest/kafka/partition/kept-batch.ts';
import { maxUnpackedBytes } from '../../src/kafka-client/records/unpack.ts';
import { DeadLetters } from '../../src/operations/dead-letters.ts';
import { retryDeadLetter } from '../../src/operations/retry-dead-letter.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, newTenant } from '../events.ts';
import { batchOf, codecs, recordOf, varInt } from '../kafka-client/records/packed.ts';
import { embeddedSite, type Site } from '../sites.ts';

/** A record batch that the ingest can't unpack becomes one dead letter. A retry answered that its bytes are not an event. */
let site: Site;
let service: AuditService;
beforeAll(async () => {
  site = await embeddedSite();
  service = await site.open();
}, 120_000);
afterAll(async () => {
  await service?.close();
  site?.remove();
});

const place = { clusterId: 'c', topic: 'audit.events', partition: 3 };
let offset = 0;

/** A dead letter as the ingest stores it. */
async function keptBatch(raw: Buffer, code = 'KAFKA_BATCH_UNREADABLE'): Promise<string> {
  const ingest = { source: messageSource({ ...place, offset }), trust: 'topic-acl' as const };
  const deadLetter = toDeadLetter(raw, ingest, [{ code, pointer: '', message: 'the record batch' }]);
  await service.writer.submit([{ deadLetter, ingest }]);
  return deadLetter.id;
}
function packed(tenant: string, values: readonly string[]): Buffer {
  const records = values.map((value, delta) => recordOf(value, { key: tenant, delta }));
  const content = gzipSync(Buffer.concat(records));
  offset += 100;
  return batchOf({ codec: codecs.gzip, content, count: values.length, firstOffset: offset });
}
const retry = (id: string) =>
  retryDeadLetter(service, new DeadLetters(service.database), {
    id,
    tenants: undefined,
    by: 'tester',
    now: Date.now(),
  });
const stateOf = async (id: string) => (await new DeadLetters(service.database).get(id, undefined)).info.state;
const openReasons = async () => {
  const letters = new DeadLetters(service.database);
  const { deadLetters } = await letters.list({ state: 'open', tenants: undefined, limit: 100 });
  return deadLetters.filter(({ source }) => source.includes(`/${offset + 1}`)).map(({ reason }) => reason);
};

test('the events of a batch that can be read now are chained, each from its own offset, and a refused one is kept', async () => {
  const tenant = newTenant();
  const events = [anEvent(tenant), anEvent(tenant)].map((event) => JSON.stringify(event));
  const id = await keptBatch(packed(tenant, [events[0]!, 'not an event', events[1]!]));
  expect(await retry(id)).toMatchObject({
    status: 'chained',
    receipt: { tenant_id: tenant, sequence_number: 1 },
  });
  const records = await expectSoundChain(service.database, tenant);
  const fromTopic = records.filter(({ ingest }) => ingest.source !== 'service');
  expect(fromTopic.map(({ ingest }) => [ingest.source, ingest.trust])).toEqual([
    [messageSource({ ...place, offset }), 'topic-acl'],
    [messageSource({ ...place, offset: offset + 2 }), 'topic-acl'],
  ]);
  expect(await openReasons()).toEqual(['JSON_INVALID']);
  expect(await stateOf(id)).toBe('retried');
  expect(await retry(id)).toMatchObject({ status: 'duplicate' });
});

test('a batch over the limit of the ingest can be retried', () => {
  const length = maxUnpackedBytes + 1;
  const content = gzipSync(recordOf(Buffer.alloc(length)));
  const raw = batchOf({ codec: codecs.gzip, content, count: 1, firstOffset: 7 });
  const parts = [...readKeptBatch(raw, { ...place, offset: 7 }, service.admission)];
  expect(parts.flatMap(({ items }) => items)).toMatchObject([
    { deadLetter: { violations: [{ code: 'EVENT_TOO_LARGE' }] } },
  ]);
});

test.each([
  [
    'is damaged',
    (raw: Buffer) =>
      batchOf({ codec: codecs.gzip, content: raw.subarray(61, -4), count: 1, firstOffset: offset }),
  ],
  ['was cut', (raw: Buffer) => raw.subarray(0, -4)],
  ['has another checksum', (raw: Buffer) => Buffer.from(raw).fill(9, 70, 71)],
  [
    'has an unknown compression',
    (raw: Buffer) => batchOf({ codec: 6, content: raw.subarray(61), count: 1, firstOffset: offset }),
  ],
])('a batch that %s is refused again, and stays open', async (_, change) => {
  const tenant = newTenant();
  const id = await keptBatch(
    change(packed(tenant, [JSON.stringify(anEvent(tenant))])),
    'KAFKA_BATCH_TOO_LARGE',
  );
  expect(await retry(id)).toMatchObject({
    status: 'rejected',
    error: { code: 'KAFKA_BATCH_UNREADABLE', dead_letter_id: id },
  });
  expect(await stateOf(id)).toBe('open');
});

// The headers name the submitter and its tenants. Outside of the gateway's topic anybody can write them.
test('a batch of the gateway is not retried as if its submitters had all rights', async () => {
  const tenant = newTenant();
  const header = (text: string) => Buffer.concat([varInt(text.length), Buffer.from(text)]);
  const plain = recordOf(JSON.stringify(anEvent(tenant)), { key: tenant });
  // The record without its length and its count of headers, which is zero.
  const fields = plain.subarray(2, -1);
  const headers = Buffer.concat([varInt(1), header('tallystick-principal'), header('key:1')]);
  const record = Buffer.concat([varInt(fields.length + headers.length), fields, headers]);
  offset += 100;
  const id = await keptBatch(batchOf({ codec: codecs.none, content: record, count: 1, firstOffset: offset }));
  expect(await retry(id)).toMatchObject({
    status: 'rejected',
    error: { message: expect.stringContaining('gateway') },
  });
  expect(await stateOf(id)).toBe('open');
});

test('an operator of one tenant does not see it, because a batch may have events of all', async () => {
  const id = await keptBatch(packed(newTenant(), ['x']));
  const limited = { id, tenants: ['acme'], by: 'tester', now: Date.now() };
  await expect(retryDeadLetter(service, new DeadLetters(service.database), limited)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
