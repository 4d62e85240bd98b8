import { describe, expect, test, vi } from 'vitest';
import { emitRequest } from '../../../src/integrations/request/emit-request.ts';
import type { RequestAuditOptions, RouteAudit } from '../../../src/integrations/request/route-audit.ts';
import { createTestAudit } from '../../../src/testing/index.ts';

const facts = {
  method: 'GET',
  route: '/orders/:id',
  requestId: 'r-1',
  sourceIp: '192.0.2.7',
  userAgent: 'curl/8',
  status: 200,
  durationMs: 1.23456,
  error: undefined,
};

function emitted(
  route: Partial<RouteAudit<object, object>>,
  options: Partial<RequestAuditOptions<object>> = {},
) {
  const audit = createTestAudit();
  const onError = vi.fn();
  emitRequest(
    { audit: audit.emitter, tenant: 'acme', onError, ...options },
    { eventType: 'order.read', ...route },
    {},
    {},
    facts,
  );
  return { events: audit.events, onError };
}

// A client used to suppress the event of its own request, with a value of the path or of a header that no event can have.
describe('a client can not suppress its event', () => {
  const long = 'x'.repeat(5_000);
  const cut = `${'x'.repeat(511)}…`;

  test('with ids that are too long', () => {
    const { events } = emitted(
      { target: () => ({ type: 'order', id: long }) },
      {
        actor: () => ({ actorType: 'user', actorId: long }),
        onBehalfOf: () => [{ actorType: 'user', actorId: long }],
      },
    );
    expect(events).toMatchObject([
      { actor_id: cut, target_type: 'order', target_id: cut, on_behalf_of: [{ actor_id: cut }] },
    ]);
  });

  test('with empty ids', () => {
    const { events } = emitted(
      { target: () => ({ type: 'order', id: '' }) },
      { actor: () => ({ actorType: 'user', actorId: '' }) },
    );
    expect(events).toMatchObject([{ actor_id: 'anonymous' }]);
    expect(events[0]).not.toHaveProperty('target_type');
  });

  test.each([
    ['context', { context: () => ({ body: 'x'.repeat(300_000) }) }],
    ['metadata', { metadata: () => ({ body: 'x'.repeat(300_000) }) }],
    [
      'context that is too deep',
      { context: () => JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`) as object },
    ],
  ] as const)('with too much %s: the event lacks it, and says so', (_, route) => {
    const { events } = emitted(route as Partial<RouteAudit<object, object>>);
    expect(events).toMatchObject([
      {
        event_type: 'order.read',
        source_ip: '192.0.2.7',
        outcome: { outcome_status: 'success' },
        metadata: { http_status: 200, request_id: 'r-1', incomplete: true },
      },
    ]);
    expect(events[0]).not.toHaveProperty('context');
  });
});

test("what the application's functions throw is reported, and the rest of the event stays", () => {
  const boom = () => {
    throw new Error('boom');
  };
  const { events, onError } = emitted(
    { target: boom, context: boom, metadata: boom, outcome: boom },
    { actor: boom, onBehalfOf: boom },
  );
  expect(events).toMatchObject([{ actor_id: 'anonymous', outcome: { outcome_status: 'success' } }]);
  expect(onError).toHaveBeenCalledTimes(6);
});
