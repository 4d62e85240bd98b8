import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetchEmitter, type FetchEmitterOptions } from '../../src/fetch/index.ts';
import { auditServer, problem, type Script } from '../support/audit-server.ts';
import { someEvent } from '../support/events.ts';

let server: Awaited<ReturnType<typeof auditServer>>;
let script: Script = () => undefined;
beforeAll(async () => {
  server = await auditServer((...call) => script(...call));
});
afterAll(() => server.close());

function open(behaviour: Script = () => undefined, options: Partial<FetchEmitterOptions> = {}) {
  script = behaviour;
  server.received.length = 0;
  const errors: string[] = [];
  const emitter = createFetchEmitter({
    service: 'edge',
    url: server.url,
    apiKey: 'k',
    retryDelaysMs: [1, 1],
    onError: ({ code }) => errors.push(code),
    ...options,
  });
  return { emitter, errors };
}

const order = (target: number) => someEvent({ targetId: String(target) });
const sent = () => server.received.map(({ body }) => body.events.map(({ target_id }) => Number(target_id)));
const deliveries = () => server.received.map(({ body }) => body.delivery);

test('a flush is a producer of its own that declares its end, and the next one is another', async () => {
  const { emitter } = open();
  emitter.emit(order(1));
  emitter.emit(order(2));
  await emitter.flush();
  emitter.emit(order(3));
  expect(await emitter.flush()).toMatchObject({ emitted: 3, delivered: 3, pending: 0 });
  expect(await emitter.flush()).toMatchObject({ delivered: 3 });
  expect(sent()).toEqual([[1, 2], [3]]);
  const [first, second] = deliveries();
  expect(first).toMatchObject({ ephemeral: true, sequences: [1, 2], final: [{ final_seq: 2 }], gaps: [] });
  expect(second).toMatchObject({ sequences: [1], final: [{ final_seq: 1 }] });
  expect(second!.producer_id).not.toBe(first!.producer_id);
  expect(server.received[0]!.headers.authorization).toBe('Bearer k');
});

test('without flush() nothing is sent', async () => {
  const { emitter } = open();
  emitter.emit(order(1));
  expect(emitter.report()).toMatchObject({ emitted: 1, pending: 1 });
  expect(server.received).toEqual([]);
});

test('a fault is repeated a few times; then the events stay for the next flush, in order', async () => {
  const { emitter, errors } = open(
    (_received, response, call) => call <= 3 && problem(response, 503, 'BUSY'),
  );
  emitter.emit(order(1));
  expect(await emitter.flush()).toMatchObject({ delivered: 0, pending: 1 });
  expect(errors).toEqual(['DELIVERY_FAILED']);
  emitter.emit(order(2));
  expect(await emitter.flush()).toMatchObject({ delivered: 2, pending: 0 });
  expect(sent()).toEqual([[1], [1], [1], [1, 2]]);
});

test('a service that never answers does not hold a flush beyond its deadline', async () => {
  const { emitter } = open(() => true, { timeoutMs: 20, deadlineMs: 50 });
  const recorded = emitter.record(order(1));
  await expect(recorded).rejects.toMatchObject({ code: 'DELIVERY_FAILED', outcome: 'unknown' });
  expect(emitter.report()).toMatchObject({ pending: 1 });
  script = () => undefined;
  expect(await emitter.close()).toMatchObject({ delivered: 1, pending: 0 });
});

test('a caller that wants its event chained asks the service to do it', async () => {
  const { emitter } = open();
  await emitter.record(order(1), { chained: true });
  await emitter.record(order(2));
  expect(server.received.map(({ headers }) => headers.prefer)).toEqual(['chained', undefined]);
});

test('record() resolves with the receipt, and rejects for an event that the service refuses', async () => {
  const { emitter } = open();
  await expect(emitter.record(order(1))).resolves.toMatchObject({
    state: 'chained',
    receipt: { tenant_id: 'acme' },
  });
  script = (_received, response) => {
    const error = { code: 'EVENT_INVALID', message: 'm' };
    response.writeHead(207).end(JSON.stringify({ results: [{ index: 0, status: 'rejected', error }] }));
    return true;
  };
  await expect(emitter.record(order(2))).rejects.toMatchObject({
    code: 'REJECTED_BY_SERVICE',
    outcome: 'rejected',
  });
  await expect(emitter.record({ ...order(3), tenantId: 'not a tenant' })).rejects.toMatchObject({
    code: 'EVENT_REFUSED',
  });
});

test('losses are declared: no room, invalid data, and an event that the service refuses in any batch', async () => {
  const isPoison = (events: readonly Record<string, unknown>[]) =>
    events.some(({ target_id }) => target_id === '2');
  const { emitter, errors } = open(
    ({ body }, response) => isPoison(body.events) && problem(response, 422, 'DELIVERY_INVALID'),
    { bufferSize: 3 },
  );
  for (const target of [1, 2, 3, 4]) emitter.emit(order(target));
  emitter.emit({ ...order(5), severity: 'loud' as never });
  expect(await emitter.flush()).toMatchObject({
    emitted: 5,
    delivered: 2,
    rejected: 2,
    dropped: 1,
    pending: 0,
  });
  expect(errors).toEqual(['BUFFER_FULL', 'EVENT_REFUSED', 'BATCH_REFUSED']);
  const accepted = server.received.filter(({ body }) => !isPoison(body.events));
  expect(accepted.flatMap(({ body }) => body.events.map(({ target_id }) => target_id))).toEqual(['1', '3']);
  const gaps = accepted.flatMap(({ body }) => body.delivery.gaps as { reason: string }[]);
  expect(new Set(gaps.map(({ reason }) => reason))).toEqual(
    new Set(['buffer_full', 'event_invalid', 'batch_refused']),
  );
  expect(accepted.at(-1)!.body.delivery.final).toEqual([{ tenant_id: 'acme', final_seq: 5 }]);
});

test('flushes of concurrent requests do not share or lose events', async () => {
  const { emitter } = open();
  const requests = Array.from({ length: 20 }, async (_, target) => {
    emitter.emit(order(target));
    await emitter.flush();
  });
  await Promise.all(requests);
  expect(
    sent()
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 20 }, (_, target) => target));
  expect(emitter.report()).toMatchObject({ delivered: 20, duplicates: 0 });
});

test('a redirect is not followed, since it would take the key to another address', async () => {
  const { emitter } = open((_received, response) => {
    response.writeHead(307, { location: `${server.url}/elsewhere` }).end();
    return true;
  });
  emitter.emit(order(1));
  expect(await emitter.flush()).toMatchObject({ delivered: 0, pending: 1 });
  expect(new Set(server.received.map(({ path }) => path))).toEqual(new Set(['/v1/audit/events/batch']));
});

test('a rotated key is fetched once more', async () => {
  const keys = ['old', 'new'];
  const { emitter } = open(
    ({ headers }, response) =>
      headers.authorization === 'Bearer old' && problem(response, 401, 'KEY_INVALID'),
    { apiKey: () => keys.shift()! },
  );
  emitter.emit(order(1));
  expect(await emitter.flush()).toMatchObject({ delivered: 1 });
});

test('after close() events are dropped and counted', async () => {
  const { emitter, errors } = open();
  expect(await emitter.close()).toMatchObject({ emitted: 0 });
  expect(emitter.emit(order(1)).state).toBe('dropped');
  await expect(emitter.record(order(2))).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
  expect(emitter.report()).toMatchObject({ emitted: 2, dropped: 2 });
  expect(errors).toEqual(['EMITTER_CLOSED']);
});

test('invalid options are refused when the emitter is made', () => {
  for (const options of [
    { service: '' },
    { url: 'ftp://x' },
    { retryDelayMs: [1] },
    { redaction: { censor: { hmacKey: '' } } },
  ]) {
    expect(() => createFetchEmitter({ service: 'edge', url: 'https://x', ...options } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  }
});
