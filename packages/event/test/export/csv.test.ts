import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csv, csvColumns } from '../../src/export/csv.ts';

/** RFC 4180, written from its grammar: the cells of one line without its end. */
function cellsOf(line: string): string[] {
  expect(line.endsWith('\r\n')).toBe(true);
  const cells = [...line.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)];
  expect(cells.map(([whole]) => whole).join('')).toBe(line.slice(0, -2));
  return cells.map(([, inQuotes, plain]) => inQuotes?.replaceAll('""', '"') ?? plain!);
}

const rowOf = (record: { readonly [field: string]: unknown }) => {
  const cells = cellsOf(csv.line(record));
  expect(cells).toHaveLength(csvColumns.length);
  return Object.fromEntries(csvColumns.map((name, at) => [name, cells[at]!]));
};

const identity = { tenant_id: 'acme', epoch: 1, sequence_number: 7 };

test('a line has a cell for each column, and the header names them', () => {
  expect(cellsOf(csv.header)).toEqual(csvColumns);
  const row = rowOf({
    ...identity,
    actor_id: 'Zoë, "the boss"',
    outcome: { outcome_status: 'failure', error_code: 'E1' },
    entity_ids: ['host:1', 'host:2'],
    is_sensitive: false,
    ingest: { trust: 'api-key', principal: 'key:1', source: 'http' },
    claimed: true,
  });
  expect(row).toMatchObject({
    epoch: '1',
    sequence_number: '7',
    tenant_id: 'acme',
    actor_id: 'Zoë, "the boss"',
    outcome_status: 'failure',
    outcome: '{"error_code":"E1","outcome_status":"failure"}',
    entity_ids: '["host:1","host:2"]',
    is_sensitive: 'false',
    severity: '',
    ingest_trust: 'api-key',
    ingest_principal: 'key:1',
    ingest_source: 'http',
    note: 'claimed',
  });
});

test.each([
  ['=1+1', "'=1+1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['+49 30', "'+49 30"],
  ['-1', "'-1"],
  ['  =1', "'  =1"],
  ['\t=1', '\\t=1'],
  ['＝1', "'＝1"],
  ["'quoted", "''quoted"],
  ['a=1', 'a=1'],
  ['line\r\nbreak\u001b[2J', 'line\\r\\nbreak\\u001b[2J'],
  ['abc\u202egpj.exe', 'abc\\u202egpj.exe'],
  ['\ud800', '\\ud800'],
  ['a;b', 'a;b'],
  ['\u2060=1', "'\u2060=1"],
  ['\u00ad\ufe0f@A1', "'\u00ad\ufe0f@A1"],
  ['﹦1', "'﹦1"],
  ['a;=1;b', "a;'=1;b"],
  ['a;"=1&";', `a;'"=1&";`],
  ["a;'=1", "a;''=1"],
  ['a; b; -c', "a; b;' -c"],
])('%j becomes %j', (text, cell) => {
  expect(rowOf({ ...identity, actor_id: text }).actor_id).toBe(cell);
});

test('no text can begin a cell as a formula, add a line, or hide from the next column', () => {
  const anything = fc.record({
    actor_id: fc.string({ unit: 'binary' }),
    reason: fc
      .constantFrom('=', '+', '\t', '\r\n', '"', ',', '"\r\n="')
      .chain((start) => fc.string().map((rest) => start + rest)),
    context: fc.jsonValue(),
  });
  fc.assert(
    fc.property(anything, ({ actor_id, reason, context }) => {
      const line = csv.line({ ...identity, actor_id, target_id: reason, context });
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const row = rowOf({ ...identity, actor_id, target_id: reason, context });
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^\s*[=+@\t\r]/);
      expect(row.record_hash).toBe('');
      expect(csv.positionOf(line)).toEqual({ epoch: 1, sequence: 7 });
    }),
  );
});

test('no text begins a formula where a spreadsheet divides lines at semicolons, as it does in much of Europe', () => {
  // With another separator, a quotation mark within a cell is a letter, and so a semicolon in quotes ends a cell too.
  const part = fc.constantFrom(';', '"', '=', '@', ' ', '-', "'", 'a', ',', '\u200b', '{');
  const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, (actor_id, member) => {
      const line = csv.line({ ...identity, actor_id, context: { member } });
      for (const cell of [...line.slice(0, -2).matchAll(/(?:^|;)(?:"((?:[^"]|"")*)"?[^;]*|[^;]*)/g)])
        expect(cell[0].replace(/^;/, '')).not.toMatch(/^[\s"\u200b]*[=@-]/);
      // Both texts can be told apart: what was added can be taken away.
      const added = rowOf({ ...identity, actor_id }).actor_id!;
      expect(added.replaceAll(/(^|;)'([\s"\u200b]*[=@'-])/g, '$1$2')).toBe(actor_id);
    }),
    { numRuns: 500 },
  );
});

test('a forged value without a canonical text is written all the same', () => {
  expect(rowOf({ ...identity, context: { a: '\ud800' } }).context).toBe(String.raw`{"a":"\ud800"}`);
});

test('the header and lines of other programs have no position', () => {
  for (const line of [csv.header, '', '1', '1,', 'a,b,c', '0,1,x', '1,99999999999999999,x'])
    expect(csv.positionOf(line)).toBeUndefined();
});
