import { canonicalize } from '@tallystick/event';
import type { ProducerAccount } from '@tallystick/protocol';
import { expect, test } from 'vitest';
import type { EventItem } from '../../../src/chain/batch.ts';
import { conflictOf } from '../../../src/chain/service-records/conflict.ts';
import { gapRecords, unclosedRecord } from '../../../src/chain/service-records/producer-records.ts';
import { readRecord } from '../../../src/chain/service-records/read-records.ts';
import { lossRecord } from '../../../src/chain/service-records/source-lost.ts';

/*
 * Ids and bytes of the records that the service derives are a stored format. Another version that derives them otherwise
 * would chain a second record for what is chained already. These values were computed by version 0.1 and must not change.
 */

const producerId = '0190a6b2-7c00-7000-8000-00000000abcd';
const submitter = 'key:0123456789ab';

test('delivery.gap', () => {
  const gaps = [{ tenantId: 'acme', from: 3, to: 7, reason: 'buffer_full' }];
  const [record] = gapRecords([{ submitter, producerId, service: 'gateway', gaps, final: [] }]);
  expect(record!.canonical).toBe(
    '{"actor_id":"tallystick","actor_type":"system","audit_id":"5d7ff417-b1b2-8f34-9beb-5b6ca952a636",' +
      '"event_category":"system","event_type":"delivery.gap","metadata":{"events":5,"from":3,' +
      '"producer_id":"0190a6b2-7c00-7000-8000-00000000abcd","reason":"buffer_full","service":"gateway",' +
      '"submitter":"key:0123456789ab","to":7},"severity":"warning","source_service":"tallystick",' +
      '"target_id":"0190a6b2-7c00-7000-8000-00000000abcd","target_type":"producer","tenant_id":"acme",' +
      '"timestamp":"2024-07-12T11:27:13.408Z"}',
  );
});

test('delivery.unclosed', () => {
  const account: ProducerAccount = {
    submitter,
    producer_id: producerId,
    tenant_id: 'acme',
    service: null,
    state: 'unclosed',
    ephemeral: false,
    numbers: 4,
    open_numbers: 0,
    open: [],
    final_seq: null,
    first_seen_at: '2026-01-01T00:00:00.000Z',
    last_seen_at: '2026-01-02T00:00:00.000Z',
  };
  const { event } = unclosedRecord(account, 'the pod was evicted', 'key:operator');
  expect(event).toMatchObject({
    audit_id: '45152285-d97b-835a-ac3e-65da8e582bc3',
    timestamp: account.last_seen_at,
    actor_id: 'key:operator',
  });
});

test('delivery.conflict', () => {
  const event: EventItem['event'] = {
    audit_id: '0190a6b2-7c00-7000-8000-000000000001',
    tenant_id: 'acme',
    timestamp: '2026-01-02T03:04:05.678Z',
    event_type: 'access.granted',
    actor_type: 'user',
    actor_id: 'alice',
    source_service: 'test',
  };
  const item: EventItem = {
    event,
    canonical: canonicalize(event),
    ingest: { source: 'test', trust: 'operator' },
  };
  const { deadLetter, record } = conflictOf(item, '2026-02-03T04:05:06.789Z');
  expect(deadLetter.id).toBe('3520aa6e-260e-8f85-a292-c2e01a018a76');
  expect(record.canonical).toBe(
    '{"actor_id":"tallystick","actor_type":"system","audit_id":"72a473e9-8560-8234-a489-f28b936982f6",' +
      '"event_category":"system","event_type":"delivery.conflict","metadata":{' +
      '"audit_id":"0190a6b2-7c00-7000-8000-000000000001","dead_letter":"3520aa6e-260e-8f85-a292-c2e01a018a76 ' +
      'AUDIT_ID_CONFLICT sha256:3430986e33526d5a7806cb2a7e02038b27b53e0474bce2d30f4102ef52c109ed ' +
      'about:94fc59edb2c60016db8c2e03106135cc79edff0ca57c66e8309d9e1cd70b939d","dead_letter_id":"3520aa6e-260e-8f85-a292-c2e01a018a76",' +
      '"event_hash":"3430986e33526d5a7806cb2a7e02038b27b53e0474bce2d30f4102ef52c109ed","source":"test"},' +
      '"severity":"warning","source_service":"tallystick","target_id":"0190a6b2-7c00-7000-8000-000000000001",' +
      '"target_type":"event","tenant_id":"acme","timestamp":"2026-02-03T04:05:06.789Z"}',
  );
});

test('source.lost', () => {
  const topic = { clusterId: 'cluster', id: 'topic-id', name: 'audit.events' };
  const { canonical } = lossRecord({ topic, partition: 3, from: 10, to: 19 }, 'tallystick');
  expect(canonical).toBe(
    '{"actor_id":"tallystick","actor_type":"system","audit_id":"9f3d7d1e-ef78-8f6b-8a28-d71162d9929f",' +
      '"event_category":"system","event_type":"source.lost","metadata":{"cluster_id":"cluster","from":10,"offsets":10,' +
      '"partition":3,"source":"kafka","to":19,"topic":"audit.events","topic_id":"topic-id"},"severity":"critical",' +
      '"source_service":"tallystick","target_id":"audit.events","target_type":"topic","tenant_id":"tallystick",' +
      '"timestamp":"1970-01-01T00:00:00.000Z"}',
  );
});

test('audit.read', () => {
  const start = Date.parse('2026-01-02T03:00:00.000Z');
  const writtenAt = new Date('2026-01-02T03:04:05.678Z');
  expect(readRecord({ principal: submitter, tenantId: 'acme' }, start, 300_000, writtenAt).canonical).toBe(
    '{"actor_id":"key:0123456789ab","actor_type":"service","audit_id":"0fc9eeed-c447-8ede-90ae-8f5262448b44",' +
      '"event_category":"system","event_type":"audit.read","metadata":{"window_seconds":300},' +
      '"source_service":"tallystick","target_id":"acme","target_type":"trail","tenant_id":"acme",' +
      '"timestamp":"2026-01-02T03:04:05.678Z"}',
  );
});
