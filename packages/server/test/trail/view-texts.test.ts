import { sealRecord } from '@tallystick/log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventRow, toView, type ViewOptions } from '../../src/trail/view.ts';
import { copyView, viewTextOf } from '../../src/trail/view-text.ts';
import { ViewTexts } from '../../src/trail/view-texts.ts';
import { anItem } from '../events.ts';

const tenantId = 'acme';
let made = 0;

function rowOf(fields: { readonly [field: string]: unknown } = {}): EventRow {
  const { event, canonical } = anItem(tenantId, fields);
  const sealed = sealRecord({
    canonicalEvent: canonical,
    ingest: { nonce: '00'.repeat(16), source: 'test', trust: 'operator' },
    ingestedAt: '2026-01-02T03:04:05.678Z',
    previousHash: '11'.repeat(32),
    sequenceNumber: ++made,
    tenantId,
  });
  return {
    epoch: 1,
    sequence_number: made,
    audit_id: event.audit_id,
    ingested_at: new Date('2026-01-02T03:04:05.678Z'),
    is_sensitive: event.is_sensitive === true,
    previous_hash: '11'.repeat(32),
    record_hash: sealed.hashHex,
    record: sealed.text,
  };
}

/** Every scope of a reader. */
const scopes = [
  { sensitive: true },
  { sensitive: false },
  { sensitive: true, withRecord: true },
  { sensitive: false, withRecord: true },
  { sensitive: true, withoutIngest: true },
];

/** The row as the store gives it to a reader: what it may not see does not leave the store. */
const given = (row: EventRow, { sensitive }: { sensitive: boolean }): EventRow =>
  row.is_sensitive && !sensitive ? { ...row, record: null } : row;

/** The members of a view, and their order, but for names that are numbers: canonical JSON has another order for these than an object. */
function contentOf(text: string) {
  const view = JSON.parse(text) as { [member: string]: unknown };
  return { view, members: Object.keys(view) };
}

describe('the text of a row', () => {
  it('is the JSON of its view for every reader, at the first time and later', () => {
    const rows = [
      rowOf(),
      rowOf({ is_sensitive: true }),
      rowOf({ metadata: { 10: 'a', 9: 'b', text: '\u2028 "\\" é 😀' } }),
      // The service's own type, from a client: it is shown as claimed.
      rowOf({ event_type: 'audit.read' }),
      { ...rowOf(), record: '{}' },
      { ...rowOf(), record: '{"event":' },
      // The column says that it is not sensitive, the record says that it is.
      { ...rowOf({ is_sensitive: true }), is_sensitive: false },
    ];
    const texts = new ViewTexts();
    for (let round = 0; round < 3; round++)
      for (const options of round === 1 ? scopes.toReversed() : scopes)
        for (const row of rows.map((each) => given(each, options)))
          for (const text of [
            texts.textOf(tenantId, { ...row }, options),
            viewTextOf(tenantId, row, options),
          ])
            expect(contentOf(text)).toEqual(contentOf(JSON.stringify(toView(tenantId, row, options))));
  });

  it('is made anew when the bytes, the hash or the epoch of the row differ from those that were seen', () => {
    const texts = new ViewTexts();
    const row = rowOf();
    const expectSame = (other: EventRow) =>
      expect(contentOf(texts.textOf(tenantId, other, scopes[0]!))).toEqual(
        contentOf(JSON.stringify(toView(tenantId, other, scopes[0]!))),
      );
    expectSame(row);
    expectSame({ ...row, record: row.record!.replace('alice', 'mallo') });
    expectSame({ ...row, record: '{}' });
    expectSame({ ...row, epoch: 2 });
    expectSame({ ...row, record_hash: '22'.repeat(32) });
    expectSame(row);
  });

  it('is right whatever was kept before, also with room for a few', () => {
    const rows = Array.from({ length: 40 }, (_, at) => rowOf({ metadata: { text: 'x'.repeat(at * 10) } }));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200_000 }),
        fc.array(fc.nat(rows.length - 1), { maxLength: 200 }),
        (most, order) => {
          const texts = new ViewTexts(most);
          for (const at of order)
            expect(contentOf(texts.textOf(tenantId, rows[at]!, scopes[0]!))).toEqual(
              contentOf(JSON.stringify(toView(tenantId, rows[at]!, scopes[0]!))),
            );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is not copied from bytes that the log does not write', () => {
    const options: ViewOptions = { sensitive: false };
    const good = rowOf();
    const event = good.record!.slice('{"event":'.length, good.record!.indexOf(',"ingest":'));
    const withEvent = (text: string): EventRow => ({
      ...good,
      record: good.record!.replace(event, () => text),
    });
    expect(copyView(tenantId, good, options)).toBeDefined();
    const forged = {
      'space after the event': `${event} `,
      'two events': `${event},"event":${event}`,
      'an object too many': `${event}}`,
      'a list': `[${event}]`,
      'no members': '{}',
      'no members, a space': '{ }',
      'members of the chain': `${event.slice(0, -1)},"sequence_number":7,"ingest":{"trust":"service"}}`,
      'an epoch': `${event.slice(0, -1)},"epoch":7}`,
      'no end': event.slice(0, -1),
      'a second view': `${event},{"audit_id":"x"}`,
      'text after it': `${event}x`,
      'a sensitive event': `${event.slice(0, -1)},"is_sensitive":true}`,
      'the service\u2019s type': event.replace(/"event_type":"[^"]*"/, '"event_type":"audit.read"'),
    };
    const rows = Object.entries(forged).map(([what, text]) => [what, withEvent(text)] as const);
    const tail: readonly (readonly [string, EventRow])[] = [
      [
        'another tenant',
        { ...good, record: good.record!.replace(/"tenant_id":"acme"\}$/, '"tenant_id":"other"}') },
      ],
      [
        'another version',
        { ...good, record: good.record!.replace('"record_version":"1"', '"record_version":"2"') },
      ],
      [
        'an unknown trust',
        { ...good, record: good.record!.replace('"trust":"operator"', '"trust":"oracle"') },
      ],
      ['text behind it', { ...good, record: `${good.record}x` }],
      [
        'a quote in the source',
        { ...good, record: good.record!.replace('"source":"test"', '"source":"te\\"st"') },
      ],
      [
        'a line in the source',
        { ...good, record: good.record!.replace('"source":"test"', '"source":"te\nst"') },
      ],
    ];
    for (const [what, row] of [...rows, ...tail]) {
      expect(row.record, what).not.toBe(good.record);
      expect(copyView(tenantId, row, options), what).toBeUndefined();
      expect(viewTextOf(tenantId, row, options), what).toBe(JSON.stringify(toView(tenantId, row, options)));
    }
  });

  it('has the content of the view for events of any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (metadata) => {
        const row = rowOf({ metadata });
        expect(copyView(tenantId, row, scopes[0]!)).toBeDefined();
        expect(contentOf(viewTextOf(tenantId, row, scopes[0]!))).toEqual(
          contentOf(JSON.stringify(toView(tenantId, row, scopes[0]!))),
        );
      }),
      { numRuns: 200 },
    );
  });
});
