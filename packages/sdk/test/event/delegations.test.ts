import { readEvent } from '@tallystick/event';
import { expect, test } from 'vitest';
import { EventEncoder } from '../../src/event/encode.ts';
import type { AuditEventInput } from '../../src/index.ts';
import { someEvent } from '../support/events.ts';

const encoder = new EventEncoder({ service: 'checkout', activeTrace: () => undefined, now: Date.now });
const encode = (event: Partial<AuditEventInput> | { onBehalfOf: unknown }) =>
  encoder.encode({ ...someEvent(), ...event } as AuditEventInput);

test('a delegation chain keeps its order, and its hostile texts stay values', () => {
  const { text, violations } = encode({
    onBehalfOf: [
      { actorType: 'agent', actorId: 'planner"}],"x":[{"' },
      { actorType: 'user', actorId: 'maria' },
    ],
  });
  expect(violations).toEqual([]);
  expect((readEvent(text, { now: Date.now() }).event as { on_behalf_of: unknown }).on_behalf_of).toEqual([
    { actor_type: 'agent', actor_id: 'planner"}],"x":[{"' },
    { actor_type: 'user', actor_id: 'maria' },
  ]);
});

test.each([
  ['no list', { actorType: 'user', actorId: 'a' }, 'FIELD_TYPE', '/on_behalf_of'],
  ['17 members', Array(17).fill({ actorType: 'user', actorId: 'a' }), 'FIELD_LENGTH', '/on_behalf_of'],
  ['an unknown kind', [{ actorType: 'robot', actorId: 'a' }], 'FIELD_ENUM', '/on_behalf_of/0/actor_type'],
  ['no id', [{ actorType: 'user' }], 'FIELD_REQUIRED', '/on_behalf_of/0/actor_id'],
  ['an empty id', [{ actorType: 'user', actorId: '' }], 'FIELD_REQUIRED', '/on_behalf_of/0/actor_id'],
  ['no object', ['maria'], 'FIELD_ENUM', '/on_behalf_of/0/actor_type'],
  [
    'a getter that throws',
    [
      {
        get actorType() {
          throw new Error('hostile');
        },
      },
    ],
    'FIELD_ENUM',
    '/on_behalf_of/0/actor_type',
  ],
])('%s refuses the event, and nothing is thrown', (_name, onBehalfOf, code, pointer) => {
  expect(encode({ onBehalfOf }).violations).toContainEqual(expect.objectContaining({ code, pointer }));
});

test.each(['localhost', '1.2.3.4:80', 7])('source address %j refuses the event', (sourceIp) => {
  expect(encode({ sourceIp } as object).violations).toMatchObject([
    { code: 'FIELD_FORMAT', pointer: '/source_ip' },
  ]);
});
