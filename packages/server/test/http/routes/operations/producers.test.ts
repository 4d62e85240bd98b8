import { uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anEvent, newTenant } from '../../../events.ts';
import { Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http?.[Symbol.asyncDispose]());

interface Said {
  readonly producer?: string;
  readonly sequences: readonly number[];
  readonly gaps?: readonly { from: number; to: number }[];
  readonly final?: number;
}

async function send(tenant: string, { producer = uuidv7(), sequences, gaps = [], final }: Said) {
  const { status } = await http.call('POST', '/v1/audit/events/batch', {
    body: {
      delivery: {
        producer_id: producer,
        service: 'cms',
        sequences,
        gaps: gaps.map((gap) => ({ tenant_id: tenant, reason: 'buffer_full', ...gap })),
        final: final === undefined ? [] : [{ tenant_id: tenant, final_seq: final }],
      },
      events: sequences.map(() => anEvent(tenant)),
    },
  });
  expect([200, 201]).toContain(status);
  return producer;
}

const accounts = async (tenant: string, parameters = '') =>
  (await http.get(`/v1/audit/producers?tenant_id=${tenant}${parameters}`)).json;

test('open numbers are named until they turn up or are declared lost', async () => {
  const tenant = newTenant();
  const producer = await send(tenant, { sequences: [1, 2, 5, 9], final: 12 });
  expect((await accounts(tenant)).producers).toMatchObject([
    {
      producer_id: producer,
      tenant_id: tenant,
      service: 'cms',
      state: 'open',
      numbers: 12,
      final_seq: 12,
      open: [
        [3, 4],
        [6, 8],
        [10, 12],
      ],
    },
  ]);
  await send(tenant, { producer, sequences: [4, 3], gaps: [{ from: 6, to: 8 }] });
  expect((await accounts(tenant)).producers[0].open).toEqual([[10, 12]]);
  await send(tenant, { producer, sequences: [10, 11, 12] });
  expect((await accounts(tenant)).producers).toEqual([]);
  expect((await accounts(tenant, '&all=true')).producers).toMatchObject([{ state: 'closed', open: [] }]);
});

test('a producer that says nothing more is running, and then unclosed', async () => {
  const tenant = newTenant();
  await send(tenant, { sequences: [1, 2] });
  expect((await accounts(tenant)).producers).toEqual([]);
  expect((await accounts(tenant, '&all=true')).producers).toMatchObject([
    { state: 'running', final_seq: null },
  ]);
  const { database } = http.service;
  await database.query(
    { role: 'writer' },
    `update audit_producers set last_seen_at = last_seen_at - interval '10 minutes' where tenant_id = $1`,
    [tenant],
  );
  expect((await accounts(tenant, '&silent_seconds=300')).producers).toMatchObject([
    { state: 'unclosed', numbers: 2, open: [] },
  ]);
});

test('accounts come in pages, and a key sees those of its tenants alone', async () => {
  const [mine, other] = [newTenant(), newTenant()];
  for (let producer = 0; producer < 5; producer++) await send(mine, { sequences: [2] });
  await send(other, { sequences: [3] });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await accounts(mine, `&limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`);
    seen.push(...page.producers.map((account: { producer_id: string }) => account.producer_id));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  expect(new Set(seen).size).toBe(5);
  const { key } = await http.service.keys.create({ name: 'mine', scopes: ['events:read'], tenants: [mine] });
  const { json } = await http.get('/v1/audit/producers', key);
  expect(new Set(json.producers.map((account: { tenant_id: string }) => account.tenant_id))).toEqual(
    new Set([mine]),
  );
  expect((await http.get(`/v1/audit/producers?tenant_id=${other}`, key)).status).toBe(403);
});

test('the metrics count open numbers, whatever numbers a producer declares', async () => {
  const { json } = await http.get('/v1/audit/producers');
  const open = json.producers.reduce(
    (sum: number, account: { open_numbers: number }) => sum + account.open_numbers,
    0,
  );
  expect(open).toBe(7);
  const tenant = newTenant();
  for (let producer = 0; producer < 2; producer++) {
    await send(tenant, { sequences: [1], final: Number.MAX_SAFE_INTEGER });
  }
  expect((await accounts(tenant)).producers[0].open).toEqual([[2, Number.MAX_SAFE_INTEGER]]);
  const { text } = await http.get('/metrics');
  const value = Number(/^tallystick_producer_open_numbers (\S+)/m.exec(text)?.[1]);
  expect(value / (2 * Number.MAX_SAFE_INTEGER)).toBeCloseTo(1, 9);
  expect(text).toMatch(/^tallystick_producers_unclosed 0$/m);
  expect(text).toMatch(/^tallystick_dead_letters_open 0$/m);
});

test('a producer with more holes than an answer should name is counted in full', async () => {
  const tenant = newTenant();
  await send(tenant, { sequences: Array.from({ length: 150 }, (_, at) => 2 * (at + 1)) });
  const [account] = (await accounts(tenant)).producers;
  expect(account).toMatchObject({ state: 'open', numbers: 300, open_numbers: 150 });
  expect(account.open).toHaveLength(100);
  expect(account.open.slice(0, 2)).toEqual([
    [1, 1],
    [3, 3],
  ]);
});

test('a list of one state has no other accounts, and pages of its own', async () => {
  const tenant = newTenant();
  const open = [await send(tenant, { sequences: [2] }), await send(tenant, { sequences: [3] })];
  await send(tenant, { sequences: [1], final: 1 });
  await send(tenant, { sequences: [1] });
  const statesOf = async (parameters: string) =>
    (await accounts(tenant, parameters)).producers.map(({ state }: { state: string }) => state);
  expect(await statesOf('&state=open')).toEqual(['open', 'open']);
  expect(await statesOf('&state=closed')).toEqual([]);
  expect(await statesOf('&state=closed&all=true')).toEqual(['closed']);
  expect(await statesOf('&state=running&all=true')).toEqual(['running']);
  const first = await accounts(tenant, '&state=open&limit=1');
  const second = await accounts(tenant, `&state=open&limit=1&cursor=${first.next_cursor}`);
  const ids = [...first.producers, ...second.producers].map(({ producer_id }) => producer_id);
  expect([ids.sort(), second.next_cursor]).toEqual([open.sort(), undefined]);
  expect((await http.get(`/v1/audit/producers?tenant_id=${tenant}&state=lost`)).status).toBe(400);
});
