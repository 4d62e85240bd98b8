import { uuidv7 } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { Admission } from '../../../../src/ingest/admit/admission.ts';
import { prepareMessage } from '../../../../src/ingest/kafka/message/prepare-message.ts';
import { anEvent } from '../../../events.ts';

const topic = { clusterId: 'c1', name: 'audit.gateway', id: 'id', partitions: 1 };
const admission = new Admission({ now: Date.now, stopped: new Set(['stopped']) });

function read(
  fromGateway: boolean,
  message: { key?: string | null; value: string | null; headers?: Record<string, string | null> },
) {
  const bytes = (text: string | null | undefined) =>
    text === null || text === undefined ? null : Buffer.from(text);
  const headers = Object.entries(message.headers ?? {}).map(
    ([name, value]) => [Buffer.from(name), bytes(value)] as const,
  );
  const raw = { offset: 7, leaderEpoch: 0, key: bytes(message.key), value: bytes(message.value), headers };
  return prepareMessage(raw, { admission, topic, partition: 3, fromGateway });
}

const source = 'kafka:c1/audit.gateway/3/7';
const eventOf = (tenant: string) => JSON.stringify(anEvent(tenant));
const signed = { 'tallystick-principal': 'key:1', 'tallystick-tenants': '["acme"]' };

describe("in the gateway's topic", () => {
  test('the headers say who submitted a message', () => {
    const { items } = read(true, { key: 'acme', value: eventOf('acme'), headers: signed });
    expect(items).toMatchObject([
      { event: { tenant_id: 'acme' }, ingest: { source, trust: 'api-key', principal: 'key:1' } },
    ]);
  });

  test.each([
    ['another tenant', '["other"]'],
    ['no tenant', '[]'],
    ['a tenant list that can not be parsed', 'acme'],
    ['an object instead of a list', '{"acme":1}'],
  ])('a key for %s may not write for the tenant', (_what, tenants) => {
    const headers = { ...signed, 'tallystick-tenants': tenants };
    const { items } = read(true, { key: 'acme', value: eventOf('acme'), headers });
    expect(items).toEqual([
      {
        deadLetter: expect.objectContaining({
          source,
          principal: 'key:1',
          violations: [expect.objectContaining({ code: 'TENANT_FORBIDDEN' })],
        }),
        ingest: expect.anything(),
      },
    ]);
    expect(items[0]).not.toHaveProperty('deadLetter.tenantId');
  });

  test('a dead letter is filed under a tenant of the key, or under none', () => {
    const unreadable = read(true, { value: '{', headers: signed });
    expect(unreadable.items).toMatchObject([{ deadLetter: { tenantId: 'acme', principal: 'key:1' } }]);
    const foreign = read(true, { key: 'other', value: '{"tenant_id":"other"}', headers: signed });
    expect(foreign.items[0]).not.toHaveProperty('deadLetter.tenantId');
  });

  test('a message without the gateway’s headers is trusted like a message of any other topic', () => {
    const { items } = read(true, { key: 'acme', value: eventOf('acme') });
    expect(items).toMatchObject([{ ingest: { source, trust: 'topic-acl' } }]);
  });

  test('a statement belongs to its submitter, who may make it for the submitter’s tenants only', () => {
    const producer_id = uuidv7();
    const value = JSON.stringify({ delivery: { producer_id, final: [{ tenant_id: 'acme', final_seq: 3 }] } });
    const headers = { ...signed, 'tallystick-kind': 'statement' };
    const { statement, items } = read(true, { key: 'acme', value, headers });
    expect(items).toEqual([]);
    expect(statement).toEqual({
      submitter: 'key:1',
      producerId: producer_id,
      service: undefined,
      gaps: [],
      final: [{ tenantId: 'acme', finalSeq: 3 }],
    });
    const foreign = { ...headers, 'tallystick-tenants': '["other"]' };
    expect(read(true, { key: 'acme', value, headers: foreign }).items).toMatchObject([
      { deadLetter: { violations: [{ code: 'TENANT_FORBIDDEN' }] } },
    ]);
  });
});

test("the gateway's headers mean nothing in another topic", () => {
  const { items } = read(false, {
    key: 'acme',
    value: eventOf('acme'),
    headers: { ...signed, 'tallystick-tenants': '[]' },
  });
  expect(items).toMatchObject([{ event: { tenant_id: 'acme' }, ingest: { source, trust: 'topic-acl' } }]);
  expect(items[0]).not.toHaveProperty('ingest.principal');
});

test('a header with two different values counts as absent', () => {
  const event = anEvent('acme');
  const header = (name: string, value: string) => [Buffer.from(name), Buffer.from(value)] as const;
  const headers = [
    header('tallystick-producer-id', uuidv7()),
    header('tallystick-producer-seq', '1'),
    header('tallystick-producer-seq', '2'),
  ];
  const message = {
    offset: 7,
    leaderEpoch: 0,
    key: Buffer.from('acme'),
    value: Buffer.from(JSON.stringify(event)),
    headers,
  };
  const { items } = prepareMessage(message, { admission, topic, partition: 3, fromGateway: false });
  expect(items).toMatchObject([{ ingest: { source, trust: 'topic-acl' } }]);
  expect(items[0]).not.toHaveProperty('ingest.producer_seq');
});

test('the events and gaps of a stopped chain become dead letters; the declared last number is kept', () => {
  expect(read(false, { key: 'stopped', value: eventOf('stopped') }).items).toMatchObject([
    { deadLetter: { tenantId: 'stopped', violations: [{ code: 'CHAIN_STOPPED' }] } },
  ]);
  const delivery = {
    producer_id: uuidv7(),
    gaps: [{ tenant_id: 'stopped', from: 1, to: 2, reason: 'crash' }],
    final: [{ tenant_id: 'stopped', final_seq: 2 }],
  };
  const declared = read(false, {
    key: 'stopped',
    value: JSON.stringify({ delivery }),
    headers: { 'tallystick-kind': 'statement' },
  });
  expect(declared.items).toMatchObject([
    { deadLetter: { tenantId: 'stopped', violations: [{ code: 'CHAIN_STOPPED' }] } },
  ]);
  expect(declared.statement).toMatchObject({ gaps: [], final: [{ tenantId: 'stopped', finalSeq: 2 }] });
});
