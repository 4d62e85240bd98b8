import { limits } from '@tallystick/event';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Writer } from '../../src/chain/writer.ts';
import { expectSoundChain, recordsOf } from '../chains.ts';
import { anEvent, itemOf, logName, newTenant, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

const awkward = [
  `"quotes" and 'quotes' and \`ticks\``,
  'a\\b \\\\ \\N \\. \\t \\x41 \\u0041',
  '\\N',
  '\\.',
  'tab\tnewline\nreturn\rvertical\vform\fbell\u0007escape\u001bdelete\u007f',
  'emoji 🪵🧾 family 👩‍👩‍👧‍👦 flag 🇺🇳',
  'line\u2028paragraph\u2029next\u0085nbsp\u00a0bom\ufeff',
  '"tenant_id"\t{"event":',
  '$1 %s %I \u0001\u001f \uffff \ufffd',
  ' leading and trailing ',
];

onEachStore((store) => {
  let writer: Writer;
  beforeAll(() => {
    writer = new Writer(store().database, { logName });
  });

  /** Stores one event with this text in every member that may hold any text, and expects the same bytes back. */
  const roundTrip = async (tenant: string, texts: readonly string[]) => {
    const given = texts.map((text) =>
      itemOf(
        anEvent(tenant, {
          event_category: text.slice(0, 64),
          actor_id: text,
          source_service: text,
          target_type: text,
          target_id: text,
          investigation_id: text,
          alert_id: text,
          correlation_id: text,
          trace_id: text,
          namespace: text,
          context: { [text]: [text, { text }] },
          outcome: { outcome_status: 'denied', error_message: text },
        }),
      ),
    );
    expect(statuses(await writer.submit(given))).toEqual(given.map(() => 'chained'));
    const rows = (await recordsOf(store().database, tenant)).slice(-given.length);
    for (const [at, { record }] of rows.entries()) {
      expect(record.startsWith(`{"event":${given[at]!.canonical},"ingest":{`)).toBe(true);
    }
    // The columns too.
    await expectSoundChain(store().database, tenant);
  };

  test('quotes, backslashes, control characters, emoji and separators are stored byte for byte', async () => {
    await roundTrip(newTenant(), awkward);
  });

  test('any text is stored byte for byte', async () => {
    const tenant = newTenant();
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 60 })
      .filter((drawn) => drawn.isWellFormed() && !drawn.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 20, maxLength: 40 }), (texts) => roundTrip(tenant, texts)),
      { numRuns: 4 },
    );
  });

  test('identifiers of maximum length, in the widest characters, fit every index', async () => {
    await roundTrip(newTenant('x'.repeat(100)), [
      '🪵'.repeat(limits.maxIdentifierLength / 2),
      '\u2028'.repeat(limits.maxIdentifierLength),
      '\\'.repeat(limits.maxIdentifierLength),
    ]);
  });

  test('events of almost 256 KiB, in ASCII and in wide characters', async () => {
    const tenant = newTenant();
    const given = ['x', '\\', '🪵', '\n'].map((unit) => {
      const bytes = Buffer.byteLength(JSON.stringify(unit)) - 2;
      return itemOf(anEvent(tenant, { metadata: { text: unit.repeat(Math.floor((255 * 1024) / bytes)) } }));
    });
    for (const { canonical } of given) expect(Buffer.byteLength(canonical)).toBeGreaterThan(255 * 1024);
    expect(statuses(await writer.submit(given))).toEqual(given.map(() => 'chained'));
    const rows = await recordsOf(store().database, tenant);
    expect(rows.slice(1).map(({ record }) => record.slice(0, record.lastIndexOf(',"ingest":')))).toEqual(
      given.map(({ canonical }) => `{"event":${canonical}`),
    );
    await expectSoundChain(store().database, tenant);
  });

  describe('times', () => {
    test('of any year and precision are found in their column to the millisecond', async () => {
      const tenant = newTenant();
      const times = [
        '0001-01-01T00:00:00Z',
        '1582-10-10T12:00:00.5Z',
        '1969-12-31T23:59:59.999999999Z',
        '2024-02-29T23:59:59.123456Z',
        '2026-06-30T23:59:59Z',
      ];
      const given = times.map((timestamp) => itemOf(anEvent(tenant, { timestamp })));
      expect(statuses(await writer.submit(given))).toEqual(times.map(() => 'chained'));
      await expectSoundChain(store().database, tenant);
    });
  });
});
