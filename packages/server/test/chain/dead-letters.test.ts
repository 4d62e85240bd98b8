import { uuidPattern } from '@tallystick/event';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BatchItem } from '../../src/chain/batch.ts';
import { toDeadLetter } from '../../src/chain/dead-letters.ts';
import { Writer } from '../../src/chain/writer.ts';
import { admit } from '../../src/ingest/admit/admit.ts';
import { writer as asWriter } from '../../src/store/database.ts';
import { expectSoundChain } from '../chains.ts';
import { anEvent, anItem, deadLetterOf, ingest, logName, newTenant, statuses } from '../events.ts';
import { onEachStore } from '../stores.ts';

interface Kept {
  readonly seen: number;
  readonly reason: string;
  readonly pointer: string;
  readonly tenant_id: string | null;
  readonly raw: Uint8Array;
  readonly state: string;
}

onEachStore((store) => {
  let writer: Writer;
  beforeAll(() => {
    writer = new Writer(store().database, { logName });
  });

  const refusedItem = (raw: Uint8Array | string): BatchItem => {
    const admission = admit(raw, ingest, { now: Date.now() });
    if (!('deadLetter' in admission)) throw new Error('the event was admitted');
    return admission;
  };
  const kept = async (id: string) =>
    (
      await store().database.query<Kept>(asWriter, 'select * from audit_dead_letters where id = $1', [id])
    )[0]!;

  describe('a refused event is kept byte for byte', () => {
    test.each([
      ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0xff, 0xfe, 0x00, 0x0a, 0x5c), 'UTF8_INVALID'],
      ['nothing', new Uint8Array(0), 'JSON_INVALID'],
      ['text with U+0000', '{"a":"\0"}', 'JSON_INVALID'],
      ['odd white space', ' \t{"audit_id" : 1 ,\r\n"audit_id":2}\n', 'JSON_DUPLICATE_KEY'],
      ['a pointer that no store holds', '{"\\u0000\\ud800":{"x":1}}', 'FIELD_REQUIRED'],
      ['a key with U+0000 inside an object', key('\\u0000'), 'STRING_NUL'],
      ['a key with a lone surrogate', key('\\ud800'), 'STRING_LONE_SURROGATE'],
      ['an event over the limit', ' '.repeat(300_000), 'EVENT_TOO_LARGE'],
    ])('%s', async (_, raw, reason) => {
      const [outcome] = await writer.submit([refusedItem(raw)]);
      expect(outcome!.status).toBe('rejected');
      const letter = deadLetterOf(outcome);
      expect(letter.violations.map((violation) => violation.code)).toContain(reason);
      const row = await kept(letter.id);
      expect(Buffer.from(row.raw)).toEqual(Buffer.from(typeof raw === 'string' ? Buffer.from(raw) : raw));
      expect(row.state).toBe('open');
    });
  });

  test('a redelivery counts up instead of adding a dead letter, within one batch too', async () => {
    const raw = `{"${newTenant()}"`;
    const [first] = await writer.submit([refusedItem(raw)]);
    const { id } = deadLetterOf(first);
    expect((await kept(id)).seen).toBe(1);
    await writer.submit([refusedItem(raw)]);
    expect((await kept(id)).seen).toBe(2);
    await writer.submit([refusedItem(raw), refusedItem(raw)]);
    expect((await kept(id)).seen).toBe(4);
    const rows = await store().asOwner('select id from audit_dead_letters where raw = $1', [
      Buffer.from(raw),
    ]);
    expect(rows).toEqual([{ id }]);
  });

  test('a dead letter that is delivered again after a retry or a purge is open again, with its bytes', async () => {
    const items = [refusedItem(`{"${newTenant()}"`), refusedItem(`{"${newTenant()}"`)];
    const ids = (await writer.submit(items)).map((outcome) => deadLetterOf(outcome).id);
    await store().asOwner(`update audit_dead_letters set state = 'retried' where id = '${ids[0]}'`);
    await store().asOwner(`update audit_dead_letters set state = 'purged', raw = '' where id = '${ids[1]}'`);
    await writer.submit(items);
    for (const id of ids) {
      const { state, raw } = await kept(id);
      expect(state).toBe('open');
      expect(raw.length).toBeGreaterThan(0);
    }
  });

  test('refused events do not hold up the rest of the batch, and leave no hole in the chain', async () => {
    const tenant = newTenant();
    const odd = JSON.stringify({ ...anEvent(tenant), surprise: 1 });
    const outcomes = await writer.submit([
      refusedItem(odd),
      anItem(tenant),
      refusedItem('{'),
      anItem(tenant),
    ]);
    expect(statuses(outcomes)).toEqual(['rejected', 'chained', 'rejected', 'chained']);
    const records = await expectSoundChain(store().database, tenant);
    expect(records.map(({ event }) => event.event_type)).toEqual([
      'system.genesis',
      'access.granted',
      'access.granted',
      'delivery.dead_lettered',
    ]);
    expect(await kept(deadLetterOf(outcomes[0]).id)).toMatchObject({
      tenant_id: tenant,
      reason: 'FIELD_UNKNOWN',
      pointer: '/surprise',
    });
  });

  test('a batch that contains only refused events creates no chain', async () => {
    const tenant = newTenant();
    await writer.submit([refusedItem(JSON.stringify({ ...anEvent(tenant), audit_id: 'x' }))]);
    expect(await store().asOwner(`select 1 from audit_chain_state where tenant_id = '${tenant}'`)).toEqual(
      [],
    );
  });
});

/** An event with an odd key, as JSON text. */
function key(escaped: string): string {
  return JSON.stringify({ ...anEvent('t'), metadata: { KEY: 1 } }).replace('KEY', escaped);
}

const submitter = { source: 'http', principal: 'key:1' };

describe("a dead letter's id", () => {
  const violations = [{ code: 'JSON_INVALID', pointer: '', message: 'must be JSON' }];
  const idOf = (
    raw: string,
    from: { source: string; principal?: string } = submitter,
    discriminator?: string,
  ) => toDeadLetter(raw, from, violations, discriminator).id;

  test('derives from content, submitter and discriminator: the same input gives the same id', () => {
    expect(idOf('{')).toMatch(uuidPattern);
    expect(idOf('{')).toBe(idOf('{'));
    expect(toDeadLetter(Buffer.from('{'), submitter, violations).id).toBe(idOf('{'));
    const others = [
      idOf('[', submitter),
      idOf('{', { source: 'kafka', principal: 'key:1' }),
      idOf('{', { source: 'http' }),
      idOf('{', submitter, '3/1234'),
      toDeadLetter('{', submitter, [{ ...violations[0]!, code: 'EVENT_TOO_LARGE' }]).id,
    ];
    expect(new Set([idOf('{'), ...others]).size).toBe(others.length + 1);
  });
});
