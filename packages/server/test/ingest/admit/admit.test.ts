import { type AuditEvent, soc } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../../src/chain/dead-letters.ts';
import { type AdmitResult, admit } from '../../../src/ingest/admit/admit.ts';
import { anEvent } from '../../events.ts';

const now = Date.UTC(2026, 5, 1);
/** Ids without a time: those of this process lie after the clock of these tests. */
const event = (fields: Partial<AuditEvent> = {}) =>
  anEvent('acme', { audit_id: crypto.randomUUID(), ...fields });
const submitter = { source: 'http', principal: 'key:1' };
const admitText = (raw: string | Uint8Array, options = {}) => admit(raw, submitter, { now, ...options });

function refused(result: AdmitResult): DeadLetter {
  if (!('deadLetter' in result)) throw new Error('the event was admitted');
  return result.deadLetter;
}

describe('an event that is admitted', () => {
  test('has one canonical text, whatever its spelling', () => {
    const given = event({ metadata: { b: [1.0, 'é'], a: null, '10': 1, '9': 2 } });
    const spellings = [
      JSON.stringify(given),
      JSON.stringify(given, null, 2),
      JSON.stringify(Object.fromEntries(Object.entries(given).reverse())).replace('é', '\\u00e9'),
    ];
    const texts = spellings.flatMap((text) => [admitText(text), admitText(Buffer.from(text))]);
    const canonical = texts.map((admission) => ('admitted' in admission ? admission.admitted.canonical : ''));
    expect(new Set(canonical).size).toBe(1);
    expect(canonical[0]).toMatch(/^\{"actor_id":"alice".*"metadata":\{"10":1,"9":2,"a":null,"b":\[1,"é"\]\}/);
  });

  test('gets nothing added: absent fields stay absent', () => {
    const given = event();
    const admission = admitText(JSON.stringify(given));
    expect('admitted' in admission && admission.admitted.event).toEqual(given);
  });

  test('may be any well-formed type without a taxonomy', () => {
    const text = JSON.stringify(event({ event_type: 'never.declared' }));
    expect(admitText(text)).toHaveProperty('admitted');
    expect(refused(admitText(text, { taxonomy: soc })).violations[0]!.code).toBe('EVENT_TYPE_UNKNOWN');
  });
});

describe('an event that is refused', () => {
  test('says every reason with its pointer, and is filed under what can be read of it', () => {
    const given = { ...event(), surprise: 1, actor_type: 'ghost' };
    const deadLetter = refused(admitText(JSON.stringify(given)));
    expect(deadLetter).toMatchObject({ tenantId: 'acme', auditId: given.audit_id, ...submitter });
    expect(deadLetter.violations.map(({ code, pointer }) => [code, pointer])).toEqual([
      ['FIELD_ENUM', '/actor_type'],
      ['FIELD_UNKNOWN', '/surprise'],
    ]);
  });

  test.each([
    ['reserved', { event_type: 'system.genesis' }, 'EVENT_TYPE_RESERVED'],
    ["the service's own", { event_type: 'delivery.conflict' }, 'EVENT_TYPE_RESERVED'],
    ['dated ahead', { timestamp: '2026-06-01T01:00:00.001Z' }, 'TIMESTAMP_AHEAD'],
    ['with an id dated ahead', { audit_id: '019f0000-0000-7000-8000-000000000000' }, 'AUDIT_ID_AHEAD'],
    ['of an illegal tenant', { tenant_id: 'a,b' }, 'TENANT_ID_INVALID'],
    ['of a tenant that is a path', { tenant_id: '../a' }, 'TENANT_ID_INVALID'],
  ])('%s', (_, fields, code) => {
    const deadLetter = refused(admitText(JSON.stringify({ ...event(), ...fields })));
    expect(deadLetter.violations.map((violation) => violation.code)).toEqual([code]);
  });

  test.each([
    ['an array', '[]', undefined],
    ['a tenant that is no text', '{"tenant_id":{"a":1},"audit_id":[]}', undefined],
    ['a tenant of a megabyte', JSON.stringify({ tenant_id: 'x'.repeat(200) }), undefined],
    ['a tenant with a line break', '{"tenant_id":"a\\nb"}', undefined],
    ['members of the prototype', '{"__proto__":{"tenant_id":"a"}}', undefined],
    ['a name that could be one', '{"tenant_id":"a_b"}', 'a_b'],
  ])('filed under nothing that is no name: %s', (_, raw, tenantId) => {
    expect(refused(admitText(raw)).tenantId).toBe(tenantId);
  });

  test('never throws, whatever the bytes', () => {
    for (let first = 0; first < 256; first++) {
      expect(admitText(Uint8Array.of(first, 255 - first, first ^ 0x5a))).toHaveProperty('deadLetter');
    }
    expect(admitText('['.repeat(100_000))).toHaveProperty('deadLetter');
    expect(admitText('{"a":'.repeat(40_000))).toHaveProperty('deadLetter');
  });
});
