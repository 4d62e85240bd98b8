import { describe, expect, test, vi } from 'vitest';
import { createAuditEmitter } from '../../src/index.ts';
import {
  outcomeOfStatus,
  type WithAuditOptions,
  withAudit,
  withAuditFunction,
} from '../../src/integrations/web.ts';
import { createTestAudit } from '../../src/testing/index.ts';
import { memoryTransport } from '../../src/transport/memory.ts';

const options = (over: Partial<WithAuditOptions<[Request]>> = {}) => {
  const audit = createTestAudit();
  return {
    audit,
    options: {
      audit: audit.emitter,
      tenant: 'acme',
      actor: () => ({ actorType: 'user', actorId: 'u-17' }) as const,
      event: {
        eventType: 'order.refunded',
        target: (request: Request) => ({
          type: 'order',
          id: new URL(request.url).pathname.split('/').at(-1)!,
        }),
      },
      route: '/orders/:id',
      ...over,
    } satisfies WithAuditOptions<[Request]>,
  };
};
const request = () =>
  new Request('https://shop.example/orders/o-1', {
    method: 'POST',
    headers: { 'user-agent': 'curl/8', 'x-request-id': 'r-1' },
  });

test.each([
  [204, 'success'],
  [302, 'success'],
  [400, 'failure'],
  [401, 'denied'],
  [403, 'denied'],
  [408, 'timed_out'],
  [429, 'blocked'],
  [500, 'failure'],
  [504, 'timed_out'],
] as const)('status %i is the outcome %s', (status, outcome) => {
  expect(outcomeOfStatus(status)).toBe(outcome);
});

describe('a fetch-style handler', () => {
  test('emits one event per request, and its response is unchanged', async () => {
    const { audit, options: given } = options({ clientIp: () => '::ffff:192.0.2.7' });
    const response = new Response('ok', { status: 201 });
    expect(await withAudit(() => response, given)(request())).toBe(response);
    expect(audit.events).toMatchObject([
      {
        tenant_id: 'acme',
        event_type: 'order.refunded',
        actor_id: 'u-17',
        target_type: 'order',
        target_id: 'o-1',
        source_ip: '192.0.2.7',
        user_agent: 'curl/8',
        outcome: { outcome_status: 'success' },
        metadata: { http_method: 'POST', http_route: '/orders/:id', http_status: 201, request_id: 'r-1' },
      },
    ]);
  });

  test('that throws: the error is passed on, and the event says that it failed', async () => {
    const { audit, options: given } = options();
    const thrown = new TypeError('card 4111111111111111');
    const handler = withAudit(() => {
      throw thrown;
    }, given);
    await expect(handler(request())).rejects.toBe(thrown);
    expect(audit.events).toMatchObject([{ outcome: { outcome_status: 'failure', error_code: 'TypeError' } }]);
    expect(JSON.stringify(audit.events)).not.toContain('4111111111111111');
  });

  test('functions of the application that throw leave out their part, and are reported', async () => {
    const onError = vi.fn();
    const { audit, options: given } = options({
      onError,
      actor: () => {
        throw new Error('no session');
      },
      event: {
        eventType: 'order.refunded',
        target: () => {
          throw new Error('no order');
        },
      },
    });
    expect((await withAudit(() => new Response(), given)(request())).status).toBe(200);
    expect(onError).toHaveBeenCalledTimes(2);
    expect(audit.events).toMatchObject([{ actor_type: 'user', actor_id: 'anonymous' }]);
    expect(audit.events[0]).not.toHaveProperty('target_id');
  });

  test('without a tenant the event is lost, which is reported, and the request is not affected', async () => {
    const onError = vi.fn();
    const { audit, options: given } = options({ onError, tenant: undefined });
    expect((await withAudit(() => new Response(), given)(request())).status).toBe(200);
    expect(onError.mock.calls[0]![0]).toMatchObject({ code: 'FIELD_REQUIRED' });
    expect(audit.events).toEqual([]);
  });

  test('an address that is none is left out', async () => {
    const { audit, options: given } = options({ clientIp: () => 'unknown' });
    await withAudit(() => new Response(), given)(request());
    expect(audit.events[0]).not.toHaveProperty('source_ip');
  });
});

describe('where the platform freezes the process', () => {
  const perCall = () => {
    const transport = memoryTransport();
    const make = () => createAuditEmitter({ service: 'fn', transport, flushOnExit: false, tenantId: 'acme' });
    return { transport, make };
  };

  test('the events are delivered, and the end of the producer is declared, before the response', async () => {
    const { transport, make } = perCall();
    const handler = withAudit(() => new Response(), { audit: make, event: { eventType: 'page.viewed' } });
    await handler(request());
    expect(transport.events).toHaveLength(1);
    expect(transport.final).toHaveLength(1);
    await handler(request());
    const producers = transport.batches.map(({ delivery }) => delivery.producer_id);
    expect(new Set(producers).size).toBe(2);
    expect(transport.final).toHaveLength(2);
  });

  test('or after it, if the platform waits for a promise', async () => {
    const { transport, make } = perCall();
    const waiting: Promise<unknown>[] = [];
    const handler = withAudit(() => new Response(), {
      audit: make,
      event: { eventType: 'page.viewed' },
      waitUntil: (delivery) => waiting.push(delivery),
    });
    await handler(request());
    expect(waiting).toHaveLength(1);
    await Promise.all(waiting);
    expect(transport.final).toHaveLength(1);
  });

  // The handler has run when the delivery begins, so an error here made a request fail that had taken effect.
  test.each<[string, object]>([
    ['a platform without anything to wait with', { waitUntil: boom }],
    ['an emitter that can not be made', { audit: boom }],
    ['an emitter that fails to close', { audit: () => ({ emit: () => undefined, close: boom }) }],
    ['a flush that fails', { audit: { emit: () => undefined, flush: boom }, waitUntil: () => undefined }],
  ])('%s does not change the response', async (_, over) => {
    const onError = vi.fn();
    const { options: given } = options({ onError, ...over });
    const response = new Response('done');
    expect(await withAudit(() => response, given)(request())).toBe(response);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(1));
  });

  test('a service that hangs delays the response by the deadline at most', async () => {
    const close = vi.fn(async () => undefined as never);
    const make = () => ({ emit: () => undefined, close }) as never;
    const { options: given } = options({ audit: make });
    await withAudit(() => new Response(), given)(request());
    await withAudit(() => new Response(), { ...given, deadlineMs: 50 })(request());
    await withAudit(() => new Response(), { ...given, waitUntil: () => undefined })(request());
    expect(close.mock.calls).toEqual([[{ deadlineMs: 2_000 }], [{ deadlineMs: 50 }], [{}]]);
  });

  test('a first argument that is not a request does not change the result', async () => {
    const onError = vi.fn();
    const { options: given } = options({ onError });
    const response = new Response('done');
    expect(await withAudit(() => response, given)({} as Request)).toBe(response);
    expect(onError).toHaveBeenCalledTimes(1);
  });
});

function boom(): never {
  throw new Error('This context has no ExecutionContext');
}

describe('a function', () => {
  test('emits what the application describes', async () => {
    const audit = createTestAudit();
    const handler = withAuditFunction(async (event: { id: string }) => ({ ok: event.id }), {
      audit: audit.emitter,
      describe: ({ args: [event], outcome }) => ({
        tenantId: 'acme',
        eventType: 'job.ran',
        actorType: 'service',
        actorId: 'queue',
        targetType: 'job',
        targetId: event.id,
        outcome,
      }),
    });
    expect(await handler({ id: 'j-1' })).toEqual({ ok: 'j-1' });
    expect(audit.events).toMatchObject([{ target_id: 'j-1', outcome: { outcome_status: 'success' } }]);
  });

  test('is called once and returns its result, also if the description throws', async () => {
    const onError = vi.fn();
    const call = vi.fn(() => 7);
    const handler = withAuditFunction(call, {
      audit: createTestAudit().emitter,
      onError,
      describe: () => {
        throw new Error('no');
      },
    });
    expect(await handler()).toBe(7);
    expect(call).toHaveBeenCalledTimes(1);
    expect(onError).toHaveBeenCalledTimes(1);
  });
});
