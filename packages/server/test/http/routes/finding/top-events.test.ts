import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRanking } from '../../../../src/trail/ranking.ts';
import { topEvents } from '../../../../src/trail/top-events.ts';
import { Trail } from '../../../../src/trail/trail.ts';
import { event, Harness } from '../../harness.ts';

let http: Harness;
let plain: string;
const call = (day: number, cost: unknown, fields: object = {}) =>
  event({
    event_type: 'agent.model.called',
    timestamp: `2026-03-0${day}T10:00:00.000Z`,
    context: { llm_cost_usd: cost, 'gen_ai.usage.output_tokens': day * 100 },
    ...fields,
  });
beforeAll(async () => {
  http = await Harness.open({ auditReads: true });
  const writer = await http.key(['acme'], 'events:write', 'events:read', 'events:read-sensitive');
  plain = await http.key(['acme'], 'events:read');
  await http.ingest(
    [
      call(4, 0.25, { actor_id: 'bot-a' }),
      call(1, 9, { is_sensitive: true }),
      call(2, '77', { actor_id: 'bot-b' }),
      call(3, [0.5, 0.125], { actor_id: 'bot-b' }),
      call(5, 0.25, { actor_id: 'bot-b' }),
      event({ actor_id: 'ann' }),
    ],
    writer,
  );
}, 60_000);
afterAll(() => http[Symbol.asyncDispose]());

const top = async (query: string, key = http.admin) =>
  await http.get(`/v1/audit/events/top?tenant_id=acme&${query}`, key);
const placed = ({ json }: { json: { events: { value: unknown; event: { sequence_number: number } }[] } }) =>
  json.events.map(({ value, event }) => [event.sequence_number, value]);

it('has the greatest numbers first, the newest first among equal ones, and no texts', async () => {
  const answer = await top('by=context.llm_cost_usd');
  expect(answer.status).toBe(200);
  expect(placed(answer)).toEqual([
    [2, 9],
    [4, 0.5],
    [5, 0.25],
    [1, 0.25],
  ]);
  expect(answer.json).toMatchObject({
    by: 'context.llm_cost_usd',
    records: 4,
    complete: true,
    reads_left_out: true,
    sensitive_left_out: false,
  });
  expect(placed(await top('by=context.llm_cost_usd&limit=1&actor_id=bot-b'))).toEqual([[4, 0.5]]);
  expect(placed(await top('by=context.llm_cost_usd&q=%22bot-a%22'))).toEqual([[1, 0.25]]);
});

it('finds a name with dots, and the times of events', async () => {
  expect(placed(await top('by=context.gen_ai.usage.output_tokens&limit=2'))).toEqual([
    [5, 500],
    [1, 400],
  ]);
  expect(
    placed(await top('by=timestamp&limit=1&event_type=agent.model.called&to=2026-03-04T00:00:00Z')),
  ).toEqual([[4, '2026-03-03T10:00:00.000Z']]);
});

it('does not rank sensitive events without the scope', async () => {
  const answer = await top('by=context.llm_cost_usd', plain);
  expect(placed(answer).map(([sequence]) => sequence)).toEqual([4, 5, 1]);
  expect(answer.json).toMatchObject({ records: 3, sensitive_left_out: true });
});

it('reads a bounded part, and goes on with the cursor of the same request only', async () => {
  const trail = new Trail(http.service.database);
  const query = { tenantId: 'acme', ranking: readRanking('context.llm_cost_usd')!, limit: 2 };
  const found: unknown[] = [];
  let cursor: string | undefined;
  let requests = 0;
  do {
    const page = await topEvents(trail, { ...query, cursor }, { sensitive: true, read: 2 });
    found.push(...page.events.map(({ value }) => value));
    cursor = page.next_cursor;
    expect(page.complete).toBe(cursor === undefined);
    requests++;
  } while (cursor !== undefined);
  expect(requests).toBeGreaterThan(2);
  expect(found.sort()).toEqual([0.25, 0.25, 0.5, 9]);
  const { next_cursor } = await topEvents(trail, query, { sensitive: true, read: 2 });
  for (const other of [
    'by=timestamp',
    'by=context.llm_cost_usd&limit=3',
    'by=context.llm_cost_usd&limit=2&q=x',
  ]) {
    const refused = await top(`${other}&cursor=${next_cursor}`);
    expect([refused.status, refused.json.code]).toEqual([400, 'PARAMETER_INVALID']);
  }
});

it('records that the trail was read, and begins no chain', async () => {
  await top('by=timestamp');
  expect(
    (await http.get('/v1/audit/stats?tenant_id=acme&event_type=audit.read')).json.records,
  ).toBeGreaterThan(0);
  const nobody = await http.get('/v1/audit/events/top?tenant_id=nobody&by=timestamp');
  expect([nobody.status, nobody.json.records, nobody.json.complete]).toEqual([200, 0, true]);
});

it.each([
  '',
  'by=',
  'by=actor_id',
  'by=context',
  'by=context.',
  'by=event_data.x',
  'by=timestamp&limit=51',
  'by=timestamp&q=-',
])('refuses %j', async (query) => {
  const { status, json } = await top(query);
  expect([status, json.code]).toEqual([400, 'PARAMETER_INVALID']);
});
