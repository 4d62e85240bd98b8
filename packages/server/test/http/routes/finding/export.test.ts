import { connect } from 'node:net';
import { fromBase64, leafHash, parseCheckpoint, parseNote, sha256, verifyMultiproof } from '@tallystick/log';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ auditReads: true });
});
afterAll(() => http[Symbol.asyncDispose]());

const exportOf = async (query: string, key = http.admin) => {
  const answer = await http.get(`/v1/audit/events/export?${query}`, key);
  expect(answer.status, answer.text).toBe(200);
  return answer;
};
const linesOf = (text: string) => text.split(/\r?\n/).slice(0, -1);

test('all events that match, oldest first, as CSV and as JSON lines; the export is recorded', async () => {
  const tenant_id = 'csv';
  await http.ingest(
    Array.from({ length: 30 }, (_, at) => event({ tenant_id, actor_id: at % 3 === 0 ? 'ann' : 'bob' })),
  );
  const query = `tenant_id=${tenant_id}&actor_id=ann`;
  const csv = await exportOf(query);
  expect(Object.fromEntries(csv.headers)).toMatchObject({
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': 'attachment; filename="csv.csv"',
    'tallystick-export-until': '1-30',
  });
  const [header, ...rows] = linesOf(csv.text);
  expect(header).toMatch(/^epoch,sequence_number,ingested_at,audit_id,tenant_id,timestamp,event_type,/);
  expect(rows.map((row) => row.split(',')[1])).toEqual([
    '1',
    '4',
    '7',
    '10',
    '13',
    '16',
    '19',
    '22',
    '25',
    '28',
  ]);

  const json = await exportOf(`${query}&format=jsonl`);
  const events = linesOf(json.text).map((line) => JSON.parse(line));
  const listed = await http.get(`/v1/audit/events?${query}&order=asc`, http.admin);
  expect(events).toEqual((listed.json as { events: unknown[] }).events);

  const records = await exportOf(`tenant_id=${tenant_id}&event_type=audit.exported&format=jsonl`);
  expect(linesOf(records.text).map((line) => JSON.parse(line).metadata)).toMatchObject([
    { format: 'csv', filters: { actor_id: ['ann'] }, until: '1-30' },
    { format: 'jsonl', filters: { actor_id: ['ann'] } },
  ]);
});

test('the end is fixed at the start, and the rest after any line completes the file', async () => {
  const tenant_id = 'resumed';
  await http.ingest(Array.from({ length: 5 }, () => event({ tenant_id })));
  const whole = await exportOf(`tenant_id=${tenant_id}`);
  const until = whole.headers.get('tallystick-export-until');
  await http.ingest([event({ tenant_id })]);
  const lines = whole.text.split(/(?<=\n)/);
  for (const cut of [2, 4, lines.length]) {
    const [, epoch, sequence] = /^(\d+),(\d+),/.exec(lines[cut - 1]!)!;
    const rest = await exportOf(`tenant_id=${tenant_id}&after=${epoch}-${sequence}&until=${until}`);
    expect(lines.slice(0, cut).join('') + rest.text).toBe(whole.text);
  }
});

test('a last line states the number of events to a program that asks for it', async () => {
  const tenant_id = 'ended';
  await http.ingest(Array.from({ length: 5 }, () => event({ tenant_id })));
  const query = `tenant_id=${tenant_id}`;
  for (const format of ['csv', 'jsonl']) {
    const plain = await exportOf(`${query}&format=${format}&until=1-5`);
    const ended = await exportOf(`${query}&format=${format}&end=true&until=1-5`);
    expect(ended.text).toBe(`${plain.text}{"end":{"events":6}}\n`);
    const rest = await exportOf(`${query}&format=${format}&end=true&until=1-5&after=1-3`);
    expect(linesOf(rest.text).at(-1)).toBe('{"end":{"events":2}}');
  }
  expect((await exportOf('tenant_id=nowhere&format=jsonl&end=true')).text).toBe('{"end":{"events":0}}\n');
  const both = await http.get(`/v1/audit/events/export?${query}&evidence=true&end=true`);
  expect([both.status, both.json.detail]).toEqual([400, expect.stringContaining('an end of its own')]);
});

/** Asks as nginx does by default: without chunks, so that the end of the connection is the end of the answer. */
function askOverHttp10(query: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
    socket.write(
      `GET /v1/audit/events/export?${query} HTTP/1.0\r\nAuthorization: Bearer ${http.admin}\r\n\r\n`,
    );
    socket.setEncoding('utf8');
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve({ status: Number(answer.split(' ', 2)[1]), text: answer }));
  });
}

test('over HTTP/1.0, where an answer that was cut off looks whole, an export needs a last line', async () => {
  const query = 'tenant_id=ended&until=1-5';
  const hidden = await askOverHttp10(query);
  expect([hidden.status, hidden.text]).toEqual([400, expect.stringContaining('proxy_http_version 1.1')]);
  const ended = await askOverHttp10(`${query}&end=true`);
  expect([ended.status, ended.text.slice(-21)]).toEqual([200, '{"end":{"events":6}}\n']);
  const proven = await askOverHttp10(`${query}&evidence=true`);
  expect([proven.status, proven.text.split('\n').at(-2)]).toEqual([200, expect.stringMatching(/^\{"end":/)]);
});

test('a sensitive event has no content without the scope, and is left out where a filter looks at it', async () => {
  const tenant_id = 'secret';
  const reader = await http.key([tenant_id], 'events:read');
  await http.ingest([event({ tenant_id, actor_id: 'spy', is_sensitive: true })]);
  const rows = linesOf((await exportOf('', reader)).text);
  expect(rows.at(-1)).toMatch(/,redacted$/);
  expect(rows.join()).not.toContain('spy');
  expect(linesOf((await exportOf('actor_id=spy', reader)).text)).toHaveLength(1);
  expect((await exportOf(`tenant_id=${tenant_id}&actor_id=spy`)).text).toContain('spy');
});

test.each(['after=1', 'after=0-1', 'until=x', 'format=xlsx', 'order=desc', 'limit=1'])(
  '%s is refused',
  async (query) => {
    const answer = await http.get(`/v1/audit/events/export?tenant_id=csv&${query}`, http.admin);
    expect([answer.status, (answer.json as { code: string }).code]).toEqual([400, 'PARAMETER_INVALID']);
  },
);

test('a tenant without a chain has an empty export, and gets no chain from it', async () => {
  const nobody = await exportOf('tenant_id=nobody');
  expect(linesOf(nobody.text)).toHaveLength(1);
  expect((await exportOf('tenant_id=nobody&format=jsonl&include_reads=true')).text).toBe('');
});

test('exports what a search finds, and records the search', async () => {
  const tenant_id = 'searched';
  await http.ingest([
    event({ tenant_id, metadata: { note: 'wrong password' } }),
    event({ tenant_id, metadata: { note: 'password changed' } }),
  ]);
  const query = `tenant_id=${tenant_id}&format=jsonl`;
  expect(linesOf((await exportOf(`${query}&q=nowhere%20OR%20password%20-wrong`)).text)).toEqual([
    expect.stringContaining('password changed'),
  ]);
  const [record] = linesOf((await exportOf(`${query}&event_type=audit.exported`)).text);
  expect(JSON.parse(record!).metadata).toMatchObject({ q: 'nowhere OR password -wrong' });
  const refused = await http.get(`/v1/audit/events/export?${query}&q=%22`);
  expect([refused.status, refused.json.code]).toEqual([400, 'PARAMETER_INVALID']);
});

test('with evidence: the bytes with one proof, which goes on after any record; the export is recorded', async () => {
  const tenant_id = 'proven';
  const actors = Array.from({ length: 260 }, (_, at) => (at % 40 === 7 ? 'ann' : 'bob'));
  await http.ingest(actors.map((actor_id) => event({ tenant_id, actor_id })));
  await http.ingest([event({ tenant_id, actor_id: 'ann', is_sensitive: true })]);
  const query = `tenant_id=${tenant_id}&actor_id=ann&evidence=true`;
  const whole = await exportOf(query);
  expect(whole.headers.get('content-type')).toBe('application/x-ndjson');
  const until = whole.headers.get('tallystick-export-until');
  const [head, ...lines] = linesOf(whole.text).map((line) => JSON.parse(line));
  expect(head).toMatchObject({ tallystick_selection: 1, origin: `log.test/${tenant_id}/1`, rotations: [] });
  // A checkpoint was signed, because none covered the last record. The record of the export itself comes after it.
  const { size, root } = parseCheckpoint(parseNote(head.checkpoint).text);
  expect(size).toBe(262);
  const prove = (of: typeof lines) => {
    const leaves = of
      .filter(({ end }) => end === undefined)
      .map((line) => ({
        index: line.sequence_number,
        hash: leafHash(sha256(new TextEncoder().encode(line.record))),
      }));
    const hashes = of
      .flatMap((line) => line.hashes ?? line.end?.hashes ?? [])
      .map((hash) => fromBase64(hash)!);
    verifyMultiproof(leaves, size, hashes, root);
    return leaves.length;
  };
  expect(prove(lines)).toBe(8);
  for (const cut of [1, 4, lines.length - 1]) {
    const after = `1-${lines[cut - 1].sequence_number}`;
    const rest = await exportOf(`${query}&after=${after}&until=${until}&tree=1-${size}`);
    expect(prove([...lines.slice(0, cut), ...linesOf(rest.text).map((line) => JSON.parse(line))])).toBe(8);
  }
  const records = await exportOf(`tenant_id=${tenant_id}&event_type=audit.exported&format=jsonl`);
  expect(JSON.parse(linesOf(records.text)[0]!).metadata).toMatchObject({
    format: 'evidence',
    until,
    filters: { actor_id: ['ann'] },
  });

  const low = await http.key([tenant_id], 'events:read');
  const hidden = linesOf((await exportOf(`sequence_from=260&sequence_to=261&evidence=true`, low)).text).map(
    (line) => JSON.parse(line),
  );
  expect(hidden[1].record).toContain('bob');
  expect(hidden[2]).toEqual({
    epoch: 1,
    sequence_number: 261,
    withheld: expect.objectContaining({ redacted: true, sequence_number: 261 }),
  });
});

test('an export with evidence that can not be proven is refused', async () => {
  const tenant_id = 'refused';
  await http.ingest([event({ tenant_id })]);
  for (const [query, status, code] of [
    ['evidence=true&after=1-0', 400, 'PARAMETER_INVALID'],
    ['tree=1-2', 400, 'PARAMETER_INVALID'],
    ['evidence=true&tree=1-2', 400, 'PARAMETER_INVALID'],
    ['evidence=true&after=1-0&tree=x', 400, 'PARAMETER_INVALID'],
  ] as const) {
    const answer = await http.get(`/v1/audit/events/export?tenant_id=${tenant_id}&${query}`, http.admin);
    expect([answer.status, answer.json.code], query).toEqual([status, code]);
  }
  const nobody = await http.get('/v1/audit/events/export?tenant_id=nobody&evidence=true', http.admin);
  expect([nobody.status, nobody.json.code]).toEqual([404, 'NOT_FOUND']);
});
