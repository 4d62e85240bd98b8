import { describe, expect, test } from 'vitest';
import { fixture, mapAll, originalOf } from './map-fixture.ts';

const stages = mapAll('k8s-audit', fixture('k8s-three-stages.jsonl'));
const others = mapAll('k8s-audit', fixture('k8s-event-list.json.txt'));

const mapOne = (members: object) =>
  mapAll(
    'k8s-audit',
    JSON.stringify({
      auditID: 'a1',
      stage: 'ResponseComplete',
      verb: 'get',
      user: { username: 'jane' },
      objectRef: { resource: 'pods', namespace: 'default', name: 'web' },
      stageTimestamp: '2025-03-14T09:26:53.604118Z',
      ...members,
    }),
  )[0]!;

test('three stages of one request are three events of one correlation', () => {
  expect(stages.map(({ outcome }) => outcome?.outcome_status)).toEqual(['pending', 'pending', 'success']);
  expect(new Set(stages.map(({ audit_id }) => audit_id)).size).toBe(3);
  expect(new Set(stages.map(({ correlation_id }) => correlation_id))).toEqual(
    new Set(['4d2c8342-f3a3-4bd6-9a5f-6d8e6a9b7f10']),
  );
  expect(stages[2]).toMatchObject({
    event_type: 'k8s.deployments.create',
    event_category: 'action',
    event_action: 'create',
    // Microseconds stay.
    timestamp: '2025-03-14T09:26:53.604118Z',
    actor_type: 'user',
    actor_id: 'jane@example.com',
    target_type: 'deployments.apps',
    target_id: 'payments/ledger',
    namespace: 'payments',
    source_service: 'kube-apiserver',
    event_data: {
      service: 'kubernetes',
      operation: 'create deployments',
      payload: { stage: 'ResponseComplete', response_code: 201, source_ips: ['203.0.113.24'] },
    },
  });
});

test('the original is the line, byte for byte, 9007199254740993 included', () => {
  const lines = fixture('k8s-three-stages.jsonl').toString().trimEnd().split('\n');
  expect(stages.map(originalOf)).toEqual(lines);
  expect(originalOf(stages[2]!)).toContain('"generation":9007199254740993');
});

test('an EventList, indented: denied, impersonated into a container, anonymous', () => {
  expect(others).toMatchObject([
    {
      event_type: 'k8s.secrets.get',
      event_category: 'security',
      severity: 'warning',
      actor_type: 'service',
      actor_id: 'system:serviceaccount:ci:runner',
      target_id: 'payments/stripe-key',
      outcome: { outcome_status: 'denied', error_code: 'Forbidden' },
    },
    {
      event_type: 'k8s.pods.exec.create',
      severity: 'warning',
      actor_id: 'jane@example.com',
      entity_ids: ['system:admin'],
      outcome: { outcome_status: 'success' },
      event_data: { payload: { impersonated_user: { username: 'system:admin' } } },
    },
    {
      event_type: 'k8s.nonresource.get',
      event_category: 'access',
      actor_type: 'user',
      actor_id: 'system:anonymous',
      target_type: 'url',
      target_id: '/healthz',
    },
  ]);
  // The file is indented. The originals are the same tokens without the white space between them.
  const { items } = JSON.parse(fixture('k8s-event-list.json.txt').toString());
  expect(others.map(originalOf)).toEqual(items.map((item: object) => JSON.stringify(item)));
});

describe('outcomes', () => {
  test.each([
    [{ responseStatus: { code: 200 } }, 'success', undefined],
    [{ responseStatus: { code: 401 } }, 'denied', '401'],
    [{ responseStatus: { code: 404, reason: 'NotFound' } }, 'failure', 'NotFound'],
    [{ responseStatus: { status: 'Failure', reason: 'Timeout' } }, 'failure', 'Timeout'],
    [{ annotations: { 'authorization.k8s.io/decision': 'forbid' } }, 'denied', undefined],
    [{ stage: 'Panic' }, 'failure', 'Panic'],
    [{ stage: 'ResponseStarted', responseStatus: { code: 200 } }, 'pending', undefined],
    [{ responseStatus: { status: 'Success' } }, 'success', undefined],
    [{ responseStatus: { code: 0 } }, undefined, undefined],
    [{}, undefined, undefined],
  ])('%j', (members, status, code) => {
    const { outcome } = mapOne(members);
    expect([outcome?.outcome_status, outcome?.error_code]).toEqual([status, code]);
  });
});

test('a name that the server made up is taken from the answer', () => {
  const event = mapOne({
    verb: 'create',
    objectRef: { resource: 'pods', namespace: 'default' },
    responseObject: { metadata: { name: 'web-x7k2p' } },
  });
  expect(event.target_id).toBe('default/web-x7k2p');
});

test.each([
  ['system:node:ip-10-0-0-1', 'system'],
  ['system:serviceaccount:kube-system:generic-garbage-collector', 'service'],
  ['oidc:jane', 'user'],
])('%s acts as %s', (username, type) => {
  expect(mapOne({ user: { username } }).actor_type).toBe(type);
});

test('a cluster event, which is a kind of Event too, is refused', () => {
  expect(() => mapOne({ kind: 'Event', apiVersion: 'v1' })).toThrow('not an audit event but an object of v1');
});

test.each(['auditID', 'stage', 'verb', 'stageTimestamp'])('an event without %s is refused', (name) => {
  expect(() => mapOne({ [name]: undefined })).toThrow('not a Kubernetes audit event');
});

test('a user who is not named is unknown, not anonymous; a number is a name', () => {
  expect(mapOne({ user: {} })).toMatchObject({ actor_type: 'system', actor_id: 'unknown' });
  expect(mapOne({ user: { username: 1001 } })).toMatchObject({ actor_type: 'user', actor_id: '1001' });
});
