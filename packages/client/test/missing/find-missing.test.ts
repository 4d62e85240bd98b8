import { expect, test } from 'vitest';
import { type Client, ClientError, findMissing, incompleteAccounts } from '../../src/index.ts';

/** A service that answers with these. */
function clientOf(answers: {
  readonly producers?: object;
  readonly letters?: object;
  readonly intents?: { readonly [state: string]: object };
  readonly ready?: () => object;
  readonly losses?: object;
  readonly timeline?: object;
}) {
  const asked: { readonly [name: string]: unknown }[] = [];
  const noted = (name: string, answer: (query: never) => unknown) => async (query: object) => {
    asked.push({ name, ...query });
    return answer(query as never);
  };
  const client = {
    producers: {
      list: noted('producers', ({ state: asked }: { state: string }) => {
        const { producers = [], ...page } = (answers.producers ?? {}) as { producers?: { state: string }[] };
        return { ...page, producers: producers.filter(({ state }) => state === asked) };
      }),
    },
    deadLetters: { list: noted('letters', () => ({ dead_letters: [], ...answers.letters })) },
    openIntents: {
      list: noted('intents', ({ state }: { state: string }) => ({
        open_intents: [],
        behind_seconds: 0,
        ...answers.intents?.[state],
      })),
    },
    health: { ready: async () => answers.ready?.() ?? { status: 'ready', reasons: [], stopped_chains: 0 } },
    timelines: { get: noted('timeline', () => answers.timeline) },
    events: {
      list: noted('events', ({ filters }: { filters: { event_type?: unknown } }) =>
        filters.event_type === undefined ? { events: [] } : { events: [], ...answers.losses },
      ),
      get: async () => {
        throw new ClientError('NOT_FOUND', 'no such event');
      },
    },
  } as unknown as Client;
  return { client, asked };
}
const acme = { tenant_id: 'acme', limit: 10 };

test('producers with gaps and silent ones are lists of their own: many of one kind hide none of the other', async () => {
  const accounts = [
    { producer_id: 'gap', state: 'open', ephemeral: true },
    { producer_id: 'silent', state: 'unclosed', ephemeral: false },
  ];
  const { client } = clientOf({ producers: { producers: accounts, next_cursor: 'x' } });
  const { gaps, unclosed, refused, actions } = await incompleteAccounts(client, acme);
  expect(gaps).toMatchObject({ found: [{ producer_id: 'gap' }], more: true });
  expect(unclosed).toMatchObject({ found: [{ producer_id: 'silent' }], more: true });
  expect([refused, actions]).toEqual([
    { found: [], more: false },
    { found: [], more: false },
  ]);
});

test('lists that go on are marked, and each request has the limit', async () => {
  const intent = { intent_id: 'a' };
  const { client, asked } = clientOf({
    letters: { dead_letters: [{ id: 'd' }], next_cursor: 'x' },
    intents: {
      unexplained: { open_intents: [intent], next_cursor: 'x' },
      open: { open_intents: [intent], behind_seconds: 90 },
    },
    losses: { events: [{ event_type: 'delivery.gap' }, { event_type: 'delivery.gap', claimed: true }] },
  });
  const missing = await findMissing(client, { ...acme, from: '2026-03-01T00:00:00Z' });
  expect(missing).toMatchObject({
    refused: { found: [{ id: 'd' }], more: true },
    actions: { found: [intent], more: true },
    pending: { found: [intent], more: false },
    // A record that a client wrote declares nothing.
    declared: { found: [{ event_type: 'delivery.gap' }], more: false },
    behind_seconds: 90,
    readiness: { status: 'ready' },
  });
  expect(missing.declared.found).toHaveLength(1);
  const limits = asked.filter(({ name }) => name !== 'events').map(({ limit }) => limit);
  expect(limits).toEqual(limits.map(() => 10));
  expect(asked.filter(({ name }) => name === 'events').map(({ filters }) => filters)).toEqual([
    {
      from: '2026-03-01T00:00:00Z',
      event_type: expect.arrayContaining(['delivery.gap', 'delivery.unclosed']),
    },
    { from: '2026-03-01T00:00:00Z' },
  ]);
});

test('a proxy that does not show the readiness hides nothing else, and a service that is away is an error', async () => {
  const failing = (code: 'NOT_FOUND' | 'UNREACHABLE') =>
    clientOf({
      ready: () => {
        throw new ClientError(code, 'no');
      },
    }).client;
  expect((await findMissing(failing('NOT_FOUND'), acme)).readiness).toBeUndefined();
  await expect(findMissing(failing('UNREACHABLE'), acme)).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test('of an investigation: what it shows, its producers, and the refused events that are its causes', async () => {
  const { client } = clientOf({
    producers: {
      producers: [
        { producer_id: 'own', state: 'open' },
        { producer_id: 'other', state: 'open' },
      ],
    },
    letters: { dead_letters: [{ audit_id: 'lost' }, { audit_id: 'known' }, { audit_id: null }] },
    timeline: {
      records: [{ event: { ingest: { producer_id: 'own' } } }],
      outside: [{ audit_id: 'lost' }, { audit_id: 'known', event: {} }],
      summary: { missing: [{ kind: 'records_cut', count: 1 }] },
    },
  });
  const missing = await findMissing(client, { ...acme, investigation_id: 'inv-1' });
  expect(missing).toMatchObject({
    gaps: { found: [{ producer_id: 'own' }] },
    refused: { found: [{ audit_id: 'lost' }] },
    investigation: [{ kind: 'records_cut', count: 1 }],
    causes: { read: 1 },
  });
  expect([missing.gaps.found.length, missing.refused.found.length]).toEqual([1, 1]);
  const { client: empty } = clientOf({ timeline: { records: [], outside: [], summary: { missing: [] } } });
  await expect(findMissing(empty, { ...acme, investigation_id: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
