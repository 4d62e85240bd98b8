import { type AuditEvent, limits, uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditService } from '../../../src/app.ts';
import type { KafkaIngest } from '../../../src/kafka.ts';
import { expectSoundChain } from '../../chains.ts';
import { anEvent, newTenant } from '../../events.ts';
import { caughtUp, openSite, type Sent, type Site, sent } from './site.ts';

let site: Site;
let service: AuditService;
let ingest: KafkaIngest;
const reasons: string[] = [];
let end = 0;

beforeAll(async () => {
  site = await openSite();
  service = await site.openService();
  ingest = await site.ingest(service, { observer: { onDeadLetter: (reason) => reasons.push(reason) } });
}, 120_000);
afterAll(() => site?.[Symbol.asyncDispose]());

async function deliver(...messages: Sent[]): Promise<void> {
  await site.produce(messages);
  end += messages.length;
  await caughtUp(ingest, { 0: end });
}

interface StoredDeadLetter {
  readonly tenant_id: string | null;
  readonly source: string;
  readonly reason: string;
  readonly message: string;
  readonly raw: Buffer;
  readonly seen: string;
}

async function deadLetterAt(offset: number): Promise<StoredDeadLetter | undefined> {
  const source = `kafka:${site.kafka.clusterId}/${site.topic}/0/${offset}`;
  const [found] = await site.query<StoredDeadLetter>('select * from audit_dead_letters where source = $1', [
    source,
  ]);
  return found;
}

const tenant = newTenant('poisoned');
const good = (fields: Partial<AuditEvent> = {}) => sent(anEvent(tenant, fields));

describe('a message without a valid event becomes a dead letter, and the partition goes on', () => {
  const event = () => anEvent(tenant);
  const text = (fields: object) => JSON.stringify({ ...event(), ...fields });
  test.each<[what: string, reason: string, make: () => Sent, filedUnder: string | null]>([
    ['no JSON', 'JSON_INVALID', () => ({ key: tenant, value: '{"audit_id":' }), tenant],
    ['no UTF-8', 'UTF8_INVALID', () => ({ key: tenant, value: Buffer.from([0x7b, 0xff, 0x7d]) }), tenant],
    [
      'a member twice',
      'JSON_DUPLICATE_KEY',
      () => ({ key: tenant, value: `{"actor_id":"a",${text({}).slice(1)}` }),
      tenant,
    ],
    ['an unknown field', 'FIELD_UNKNOWN', () => ({ key: tenant, value: text({ surprise: 1 }) }), tenant],
    [
      'a malformed type',
      'EVENT_TYPE_INVALID',
      () => ({ key: tenant, value: text({ event_type: 'Nonsense' }) }),
      tenant,
    ],
    [
      'a type of the service itself',
      'EVENT_TYPE_RESERVED',
      () => ({ key: tenant, value: text({ event_type: 'source.lost' }) }),
      tenant,
    ],
    [
      'too large',
      'EVENT_TOO_LARGE',
      () => ({ key: tenant, value: text({ metadata: { blob: 'x'.repeat(limits.maxEventBytes) } }) }),
      tenant,
    ],
    ['no value', 'VALUE_MISSING', () => ({ key: tenant, value: null }), tenant],
    ['neither key nor value', 'VALUE_MISSING', () => ({ value: null }), null],
    ["another tenant's key", 'KEY_MISMATCH', () => ({ key: 'somebody-else', value: text({}) }), tenant],
    ['no key', 'KEY_MISMATCH', () => ({ value: text({}) }), tenant],
    [
      'a malformed statement',
      'DELIVERY_INVALID',
      () => ({ key: tenant, value: '{"delivery":{}}', headers: { 'tallystick-kind': 'statement' } }),
      tenant,
    ],
    [
      'a statement about another tenant',
      'KEY_MISMATCH',
      () => ({
        key: tenant,
        value: JSON.stringify({
          delivery: { producer_id: uuidv7(), final: [{ tenant_id: 'other', final_seq: 1 }] },
        }),
        headers: { 'tallystick-kind': 'statement' },
      }),
      tenant,
    ],
  ])('%s: %s', async (_what, reason, make, filedUnder) => {
    const poison = make();
    const offset = end;
    const before = reasons.length;
    await deliver(poison, good());
    const deadLetter = await deadLetterAt(offset);
    expect(deadLetter).toMatchObject({ reason, tenant_id: filedUnder });
    expect(deadLetter!.raw).toEqual(Buffer.from(poison.value ?? ''));
    expect(reasons.slice(before)).toEqual([reason]);
  });

  test('and all events between them are chained', async () => {
    const records = await expectSoundChain(service.database, tenant);
    const events = records.filter(({ event }) => event.event_type !== 'delivery.dead_lettered');
    expect(events).toHaveLength(1 + 13);
    expect(ingest.status().notReadyReasons).toEqual([]);
  });
});

describe('data beside the events that the store can not hold', () => {
  const statement = (of: string, fields: object) => ({
    key: of,
    value: JSON.stringify({ delivery: { producer_id: uuidv7(), ...fields } }),
    headers: { 'tallystick-kind': 'statement' },
  });
  const gap = (of: string, reason = 'crash') => ({ gaps: [{ tenant_id: of, from: 1, to: 2, reason }] });

  // All of it would get into the record of the gap. There, SQL can't read U+0000, canonical JSON can't have lone surrogates,
  // and the time of the producer's id becomes a timestamp.
  test.each<[what: string, (of: string) => Sent]>([
    ['U+0000 in the reason', (of) => statement(of, gap(of, 'a\0b'))],
    ['a lone surrogate in the reason', (of) => statement(of, gap(of, 'a\ud800b'))],
    ['U+0000 in the service', (of) => statement(of, { service: 'a\0b', ...gap(of) })],
    ['a lone surrogate in the service', (of) => statement(of, { service: '\udfff', ...gap(of) })],
    ['U+0000 in the name of a member', (of) => statement(of, { 'a\0b': 1 })],
    ['a lone surrogate in the name of a member', (of) => statement(of, { '\ud800': 1 })],
    [
      'a producer of the year 10889',
      (of) => statement(of, { producer_id: 'ffffffff-ffff-7fff-bfff-ffffffffffff', ...gap(of) }),
    ],
  ])('a statement with %s becomes a dead letter', async (_what, make) => {
    const target = newTenant('unstorable');
    const offset = end;
    await deliver(make(target), sent(anEvent(target)));
    expect(await deadLetterAt(offset)).toMatchObject({ reason: 'DELIVERY_INVALID', tenant_id: target });
    const records = await expectSoundChain(service.database, target);
    // The dead letter is on record here too, unless it was stored before the tenant had a chain.
    const types = records.map(({ event }) => event.event_type);
    expect(types.slice(0, 2)).toEqual(['system.genesis', 'access.granted']);
  });

  test('an event is not refused because its service header contains U+0000', async () => {
    const target = newTenant('unstorable');
    const headers = {
      'tallystick-producer-id': uuidv7(),
      'tallystick-producer-seq': '1',
      'tallystick-service': 'a\0b',
    };
    await deliver(sent(anEvent(target), headers));
    const [, record] = await expectSoundChain(service.database, target);
    expect(record!.ingest).toMatchObject({ producer_seq: 1 });
  });
});

test('two messages with the same poison are two dead letters', async () => {
  const first = end;
  await deliver({ key: tenant, value: 'poison' }, { key: tenant, value: 'poison' });
  for (const offset of [first, first + 1]) {
    expect(await deadLetterAt(offset)).toMatchObject({ reason: 'JSON_INVALID', seen: '1' });
  }
});

test('an event is never refused for the headers beside it', async () => {
  const target = newTenant('headers');
  const id = uuidv7();
  const pair = (producer: string | Buffer, number: string | Buffer) => ({
    'tallystick-producer-id': producer,
    'tallystick-producer-seq': number,
  });
  const strange = [
    pair('no uuid', '1'),
    pair(id, '0'),
    pair(id, '-1'),
    pair(id, '1e3'),
    pair(id, '99999999999999999999'),
    pair(Buffer.from([0xff, 0xfe]), '1'),
    pair(id, Buffer.from([0xc0])),
    { 'tallystick-producer-seq': '1' },
    { 'tallystick-principal': 'root', 'tallystick-tenants': '["nobody"]' },
    { 'something-else': Buffer.from([0xff]) },
  ];
  await deliver(...strange.map((headers) => sent(anEvent(target), headers)));
  const records = await expectSoundChain(service.database, target);
  expect(records).toHaveLength(1 + strange.length);
  for (const { ingest: from } of records.slice(1)) {
    expect(from).toEqual({ nonce: from.nonce, source: from.source, trust: 'topic-acl' });
  }
});

describe('accounting', () => {
  interface Account {
    readonly submitter: string;
    readonly settled_to: string;
    readonly highest_seen: string;
    readonly final_seq: string | null;
    readonly open_ranges: string;
  }
  const accountOf = async (producerId: string): Promise<Account[]> =>
    site.query<Account>(
      `select submitter, settled_to, highest_seen, final_seq,
              (select count(*) from audit_producer_ranges r where r.producer_id = p.producer_id) as open_ranges
         from audit_producers p where producer_id = $1`,
      [producerId],
    );
  const numbers = (producer: string, number: number) => ({
    'tallystick-producer-id': producer,
    'tallystick-producer-seq': String(number),
    'tallystick-service': 'cms',
  });
  const statement = (tenantId: string, delivery: object): Sent => ({
    key: tenantId,
    value: JSON.stringify({ delivery }),
    headers: { 'tallystick-kind': 'statement' },
  });

  test('dead letters and duplicates leave no number open; gaps are chained, and the last number is kept', async () => {
    const producer = uuidv7();
    const counted = newTenant('counted');
    const twice = anEvent(counted);
    await deliver(
      sent(anEvent(counted), numbers(producer, 1)),
      { key: counted, value: 'broken', headers: numbers(producer, 2) },
      { key: counted, value: null, headers: numbers(producer, 3) },
      sent(twice, numbers(producer, 4)),
      sent(twice, numbers(producer, 5)),
      { key: 'elsewhere', value: JSON.stringify(anEvent(counted)), headers: numbers(producer, 6) },
      statement(counted, {
        producer_id: producer,
        service: 'cms',
        gaps: [{ tenant_id: counted, from: 7, to: 9, reason: 'buffer_full' }],
        final: [{ tenant_id: counted, final_seq: 9 }],
      }),
    );
    expect(await accountOf(producer)).toEqual([
      {
        submitter: `kafka:${site.kafka.clusterId}/${site.topic}`,
        settled_to: '9',
        highest_seen: '9',
        final_seq: '9',
        open_ranges: '0',
      },
    ]);
    const records = await expectSoundChain(service.database, counted);
    const gap = records.find(({ event }) => event.event_type === 'delivery.gap');
    expect(gap?.event.metadata).toMatchObject({
      producer_id: producer,
      submitter: `kafka:${site.kafka.clusterId}/${site.topic}`,
      from: 7,
      to: 9,
      reason: 'buffer_full',
      service: 'cms',
    });
  });

  test('a gap that is declared twice is chained once', async () => {
    const declared = newTenant('declared');
    const gaps = [{ tenant_id: declared, from: 1, to: 2, reason: 'crash' }];
    const said = statement(declared, { producer_id: uuidv7(), gaps });
    await deliver(said, said);
    await deliver(said);
    expect(await expectSoundChain(service.database, declared)).toHaveLength(2);
  });
});
