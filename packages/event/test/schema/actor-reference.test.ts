import { expect, test } from 'vitest';
import { parseActorReference } from '../../src/schema/actor-reference.ts';

test.each([
  ['maria', undefined, 'maria'],
  ['user:maria', 'user', 'maria'],
  ['agent:a:b', 'agent', 'a:b'],
  ['arn:aws:iam::1:user/maria', undefined, 'arn:aws:iam::1:user/maria'],
  ['user:', undefined, 'user:'],
  [':maria', undefined, ':maria'],
  ['__proto__:x', undefined, '__proto__:x'],
])('%s', (text, type, id) => {
  expect(parseActorReference(text)).toEqual({ type, id });
});
