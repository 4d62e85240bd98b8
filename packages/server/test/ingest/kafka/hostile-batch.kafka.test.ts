import { readFileSync, writeFileSync } from 'node:fs';
import { Readable, type Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip, createZstdCompress } from 'node:zlib';
import { Connection } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxKeptBytes } from '../../../src/ingest/kafka/message/kept-bytes.ts';
import { maxUnpackedBytes } from '../../../src/kafka-client/records/unpack.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { aroundValue, batchOf, codecs, produceBatch, recordOf } from '../../kafka-client/records/packed.ts';
import { caughtUp, openSite, type Site, sent } from './site.ts';

let site: Site;
let connection: Connection;

beforeAll(async () => {
  site = await openSite();
  connection = new Connection('test', { requestTimeout: 60_000 });
  const [host, port] = site.kafka.bootstrap[0]!.split(':');
  await connection.connect(host!, Number(port));
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await site?.[Symbol.asyncDispose]();
});

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

/** A compressed record of zeros, without a key. The zeros are generated in pieces, to save memory. */
async function zeros(length: number, compress: Transform): Promise<Buffer> {
  const [before, after] = aroundValue(length);
  const piece = Buffer.alloc(mebibyte);
  function* content() {
    yield before;
    for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, left);
    yield after;
  }
  return await buffer(Readable.from(content()).pipe(compress));
}

interface StoredDeadLetter {
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  readonly tenant_id: string | null;
  readonly raw: Buffer;
}

const readDeadLetters = () =>
  site.query<StoredDeadLetter>('select * from audit_dead_letters order by first_seen_at, source');
const sourceAt = (offset: number) => `kafka:${site.kafka.clusterId}/${site.topic}/0/${offset}`;

test('a batch of a megabyte or less that unpacks to a gigabyte is kept packed, and takes no memory', async () => {
  const tenant = newTenant();
  const bombs = [
    batchOf({ codec: codecs.gzip, content: await zeros(gibibyte, createGzip({ level: 9 })), count: 1 }),
    batchOf({ codec: codecs.zstd, content: await zeros(gibibyte, createZstdCompress()), count: 1 }),
  ];
  await site.produce([sent(anEvent(tenant))]);
  for (const bomb of bombs) {
    await produceBatch(connection, site.topic, bomb);
    await site.produce([sent(anEvent(tenant))]);
  }
  const service = await site.openService();
  const before = residentBytes('VmRSS');
  resetPeak();
  const ingest = await site.ingest(service);
  await caughtUp(ingest, { 0: 5 });
  expect(residentBytes('VmHWM') - before).toBeLessThan(100 * mebibyte);

  expect(ingest.status().notReadyReasons).toEqual([]);
  expect(await expectSoundChain(service.database, tenant)).toHaveLength(1 + 3);
  const kept = await readDeadLetters();
  expect(kept).toMatchObject(
    [1, 3].map((offset) => ({
      source: sourceAt(offset),
      reason: 'KAFKA_BATCH_TOO_LARGE',
      message: `the record batch of offsets ${offset} to ${offset} unpacks to more than ${maxUnpackedBytes} bytes`,
      tenant_id: null,
    })),
  );
  for (const [index, { raw }] of kept.entries()) {
    // As the broker stores it, with the content and the checksum of the producer.
    expect(raw.subarray(61).equals(bombs[index]!.subarray(61))).toBe(true);
    expect(raw.readUInt32BE(17)).toBe(bombs[index]!.readUInt32BE(17));
  }
  await ingest.close();
}, 120_000);

describe('a batch that unpacks to less than the limit is read', () => {
  test('in parts, each message once and in order; the dead letter of a message that is too long is cut, and says so', async () => {
    const tenant = newTenant();
    const long = maxKeptBytes + 1;
    const events = Array.from({ length: 8_000 }, (_, n) =>
      anEvent(tenant, { metadata: { n, filler: 'x'.repeat(1_500) } }),
    );
    const [before, after] = aroundValue(long, { key: tenant, delta: events.length });
    const content = Buffer.concat([
      ...events.map((event, delta) => recordOf(JSON.stringify(event), { key: tenant, delta })),
      ...[before, Buffer.alloc(long, 'y'), after],
    ]);
    const packed = createGzip({ level: 6 });
    const count = events.length + 1;
    const batch = batchOf({
      codec: codecs.gzip,
      content: await buffer(Readable.from([content]).pipe(packed)),
      count,
    });
    const base = await produceBatch(connection, site.topic, batch);
    const service = await site.openService();
    const ranges: number[] = [];
    const ingest = await site.ingest(service, { observer: { onBatch: ({ items }) => ranges.push(items) } });
    await caughtUp(ingest, { 0: base + count });
    const records = await expectSoundChain(service.database, tenant);
    const own = records.filter(({ event }) => event.source_service !== 'tallystick');
    expect(own.map(({ event }) => (event.metadata as { n?: number }).n)).toEqual(events.map((_, n) => n));
    expect(Math.max(...ranges)).toBeLessThanOrEqual(3_000);
    const deadLetter = (await readDeadLetters()).find(
      ({ source }) => source === sourceAt(base + events.length),
    );
    expect(deadLetter).toMatchObject({
      reason: 'EVENT_TOO_LARGE',
      tenant_id: tenant,
      message: expect.stringMatching(
        /^is too long; of its 2097153 bytes the first 2097152 are kept, the SHA-256 of all is [0-9a-f]{64}$/,
      ),
    });
    expect(deadLetter!.raw).toHaveLength(maxKeptBytes);
    await ingest.close();
  }, 120_000);
});

/** Memory of this process as the kernel counts it, which includes memory outside of V8 and buffers. */
function residentBytes(what: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line![1]) * 1024;
}

/** Resets the peak (VmHWM) to the memory that is resident now. */
function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}
