import { describe, expect, test } from 'vitest';
import type { AuditEventInput } from '../../src/index.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

/** An event with members that the compiler would refuse, as JavaScript callers and spread objects have them. */
const withMembers = (members: object) => ({ ...someEvent(), ...members }) as AuditEventInput;

// Such members were left out without a word, and record() even returned a receipt for the rest of the event.
describe('a member that is not a field of an event', () => {
  test.each<[object, string, string]>([
    [{ ip: '203.0.113.7' }, '/ip', 'put it into metadata'],
    [{ actor_id: 'u-2' }, '/actor_id', 'the name of the field is actorId'],
    [{ target_type: 'order' }, '/target_type', 'the name of the field is targetType'],
    [{ parentId: 'p' }, '/parentId', 'the name of the field is parentEventId'],
    [{ 'a/b~c': 1 }, '/a~1b~0c', 'put it into metadata'],
    [{ 'a\0\ud800': 1 }, '/a\ufffd\ufffd', 'put it into metadata'],
    [Object.defineProperty({}, 'reason', { enumerable: true, get: () => 'x' }), '/reason', 'metadata'],
  ])('%j refuses the event with a hint', async (members, pointer, hint) => {
    const { emitter, errors, transport } = testEmitter();
    expect(emitter.emit(withMembers(members)).state).toBe('refused');
    await expect(emitter.record(withMembers(members))).rejects.toMatchObject({ code: 'EVENT_REFUSED' });
    expect(errors[0]?.violations).toEqual([
      { code: 'FIELD_UNKNOWN', pointer, message: expect.stringContaining(hint) },
    ]);
    expect(await emitter.close()).toMatchObject({ rejected: 2, delivered: 0 });
    expect(transport.gaps).toEqual([{ tenant_id: 'acme', from: 1, to: 2, reason: 'event_invalid' }]);
  });

  test('without a value is no loss, and the event is sent', async () => {
    const { emitter } = testEmitter();
    const members = { a: undefined, b: null, c: () => 1 };
    expect(emitter.emit(withMembers(members)).state).toBe('buffered');
  });

  test('with a getter that throws refuses the event, too', () => {
    const { emitter, errors } = testEmitter();
    const event = someEvent();
    Object.defineProperty(event, 'reason', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(emitter.emit(event).state).toBe('refused');
    expect(errors[0]?.violations[0]).toMatchObject({ code: 'FIELD_UNKNOWN', pointer: '/reason' });
  });

  test('a thousand of them give a short error', () => {
    const { emitter, errors } = testEmitter();
    const members = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`m${index}`, 1]));
    emitter.emit(withMembers(members));
    expect(errors[0]?.violations).toHaveLength(20);
  });
});

describe('unknownFields: metadata', () => {
  test('keeps the members in the metadata', async () => {
    const { emitter, transport } = testEmitter({ unknownFields: 'metadata' });
    emitter.emit(withMembers({ ip: '203.0.113.7', device: { os: 'linux' }, metadata: { lane: 'api' } }));
    emitter.emit(withMembers({ ip: '203.0.113.8', metadata: undefined }));
    await emitter.close();
    expect(transport.events.map(({ metadata }) => metadata)).toEqual([
      { lane: 'api', ip: '203.0.113.7', device: { os: 'linux' } },
      { ip: '203.0.113.8' },
    ]);
  });

  test('a name that the metadata already has refuses the event', () => {
    const { emitter, errors } = testEmitter({ unknownFields: 'metadata' });
    expect(emitter.emit(withMembers({ ip: 'a', metadata: { ip: 'b' } })).state).toBe('refused');
    expect(errors[0]?.violations).toMatchObject([{ code: 'FIELD_UNKNOWN', pointer: '/ip' }]);
  });

  test('another value of the option is an error', () => {
    expect(() => testEmitter({ unknownFields: 'drop' as never })).toThrow("'refuse' or 'metadata'");
  });
});
