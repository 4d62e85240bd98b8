import { expect, test } from 'vitest';
import { type ClientOptions, createClient } from '../../src/index.ts';

/** A client whose service is this function. */
const clientOf = (fetch: ClientOptions['fetch']) =>
  createClient({ url: 'http://audit.example', fetch, retry: { delaysMs: [] } });

test('the text of an event is sent as it is: numbers that a double can not hold stay', async () => {
  let sent: unknown;
  const client = clientOf(async (_, { body }) => {
    sent = body;
    const chained = { status: 'accepted', audit_id: 'x' };
    return Response.json({ results: [0, 1, 2].map((index) => ({ index, ...chained })) });
  });
  const delivery = { producer_id: '019cb000-0000-7000-8000-0000000000aa' };
  const results = await client.events.submit(['{"n":9007199254740993}', '{"n":1e400}', { a: 1 }], {
    delivery,
  });
  expect(sent).toBe(
    `{"delivery":${JSON.stringify(delivery)},"events":[{"n":9007199254740993},{"n":1e400},{"a":1}]}`,
  );
  expect(results).toEqual(Array(3).fill({ status: 'accepted', audit_id: 'x' }));
});

test.each([{}, { results: [] }, { results: 'all' }])(
  'an answer without one result per event: %j',
  async (body) => {
    const client = clientOf(async () => Response.json(body));
    await expect(client.events.submit(['{}'])).rejects.toMatchObject({ code: 'RESPONSE_INVALID' });
  },
);

const frame = (n: number) => `retry: 1\nid: 1-${n}\nevent: audit\ndata: {"n":${n}}\n\n`;

test('a stream that breaks continues after the last event, until the signal aborts', async () => {
  const resumed: (string | undefined)[] = [];
  const stop = new AbortController();
  const client = clientOf(async (_, { headers }) => {
    resumed.push((headers as Record<string, string>)['last-event-id']);
    return new Response(resumed.length === 1 ? frame(1) + frame(2) : frame(3));
  });
  const seen: unknown[] = [];
  for await (const { id, event } of client.events.follow({ tenant_id: 'acme' }, { signal: stop.signal })) {
    seen.push([id, event.n]);
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual([
    ['1-1', 1],
    ['1-2', 2],
    ['1-3', 3],
  ]);
  expect(resumed).toEqual([undefined, '1-2']);
});

test('a stream begins after the event that the caller names', async () => {
  const stop = new AbortController();
  const client = clientOf(async (url, { headers }) => {
    stop.abort();
    expect(url.search).toBe('?event_type=alert.*');
    expect(headers).toMatchObject({ 'last-event-id': '2-7' });
    return new Response('');
  });
  const query = { filters: { event_type: 'alert.*' } };
  for await (const _ of client.events.follow(query, { signal: stop.signal, lastEventId: '2-7' }))
    expect.unreachable();
});

test.each([
  [
    'a refusal',
    () => Response.json({ code: 'FORBIDDEN', title: 'Not allowed' }, { status: 403 }),
    'FORBIDDEN',
  ],
  ['text that is not JSON', () => new Response('data: {\n\n'), 'RESPONSE_INVALID'],
  ['a message without an end', () => new Response(`data: ${'x'.repeat(5 << 20)}`), 'RESPONSE_INVALID'],
])('%s ends the stream', async (_, answer, code) => {
  const follow = async () => {
    for await (const __ of clientOf(async () => answer()).events.follow()) expect.unreachable();
  };
  await expect(follow()).rejects.toMatchObject({ code });
});

test('a caller that stops early ends the transfer', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode(frame(1))),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const _ of clientOf(async () => new Response(body)).events.follow()) break;
  expect(cancelled).toBe(true);
});

test('an idempotency key and the wish for a receipt travel as headers', async () => {
  let sent: unknown;
  const client = clientOf(async (_, { headers }) => {
    sent = headers;
    return Response.json({ results: [{ index: 0, status: 'accepted', audit_id: 'a' }] });
  });
  await client.events.submit([{ tenant_id: 'acme' }], { idempotencyKey: 'order-1047', chained: true });
  expect(sent).toMatchObject({ 'idempotency-key': 'order-1047', prefer: 'chained' });
  await client.events.submit([{ tenant_id: 'acme' }]);
  expect(sent).not.toHaveProperty('prefer');
});

test('a search is the parameter q of a list, beside its filters', async () => {
  const asked: string[] = [];
  const client = clientOf(async (url) => {
    asked.push(String(url));
    return Response.json({ events: [] });
  });
  await client.events.search('10.0.0.0/8 -success', { tenant_id: 'acme', filters: { severity: 'critical' } });
  const { pathname, searchParams } = new URL(asked[0]!);
  expect([pathname, Object.fromEntries(searchParams)]).toEqual([
    '/v1/audit/events',
    { q: '10.0.0.0/8 -success', tenant_id: 'acme', severity: 'critical' },
  ]);
});
