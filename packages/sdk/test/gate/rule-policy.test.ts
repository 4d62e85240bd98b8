import type { Json } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ArgumentCondition,
  GateError,
  type PolicyRequest,
  type PolicyRule,
  rulePolicy,
} from '../../src/gate/index.ts';
import { matchesPattern } from '../../src/gate/rule-policy.ts';

const request = (over: Partial<PolicyRequest> = {}): PolicyRequest => ({
  tenantId: 'acme',
  action: 'fs.write',
  actorType: 'agent',
  actorId: 'writer',
  onBehalfOf: [],
  target: { type: 'file', id: '/tmp/a' },
  arguments: { path: '/tmp/a', size: 40, tags: ['x'], owner: { id: 7 } },
  ...over,
});
const decide = (rules: readonly PolicyRule[], over: Partial<PolicyRequest> = {}) =>
  rulePolicy({ name: 'p', version: '1', rules }).decide(request(over));

test('the first rule that matches decides, and a request that none matches is denied', () => {
  const rules: PolicyRule[] = [
    { name: 'no secrets', when: { targetId: '/etc/*' }, effect: 'deny', reason: 'system files' },
    { name: 'tmp', when: { action: ['fs.read', 'fs.write'], targetId: '/tmp/*' }, effect: 'allow' },
    { name: 'rest', when: { action: 'fs.*' }, effect: 'ask', approval: { approvals: 2 } },
  ];
  expect(decide(rules)).toEqual({ effect: 'allow', rule: 'tmp' });
  expect(decide(rules, { target: { type: 'file', id: '/etc/shadow' } })).toEqual({
    effect: 'deny',
    rule: 'no secrets',
    reason: 'system files',
  });
  expect(decide(rules, { action: 'fs.delete' })).toEqual({
    effect: 'ask',
    rule: 'rest',
    approval: { approvals: 2 },
  });
  expect(decide(rules, { action: 'net.get' })).toEqual({ effect: 'deny', rule: 'default' });
  expect(decide(rules, { target: undefined })).toMatchObject({ rule: 'rest' });
});

describe('a condition', () => {
  test.each<[string, ArgumentCondition, boolean]>([
    ['/size', { lessThan: 41, atLeast: 40 }, true],
    ['/size', { lessThan: 40 }, false],
    ['/size', { atMost: 40, greaterThan: 39 }, true],
    ['/size', { greaterThan: 40 }, false],
    ['/size', { equals: 40 }, true],
    ['/size', { in: [1, 40] }, true],
    ['/owner', { equals: { id: 7 } }, true],
    ['/owner/id', { equals: 8 }, false],
    ['/path', { startsWith: '/tmp/' }, true],
    ['/path', { lessThan: 5 }, false],
    ['/tags', { contains: 'x' }, true],
    ['/tags/0', { equals: 'x' }, true],
    ['/missing', { exists: false }, true],
    ['/missing', { exists: true }, false],
    ['/missing', { lessThan: 5 }, false],
    ['/missing', { equals: null }, false],
    ['/__proto__', { exists: true }, false],
  ])('%s %j: %j', (pointer, condition, expected) => {
    const rule: PolicyRule = { name: 'r', effect: 'allow', when: { arguments: { [pointer]: condition } } };
    expect(decide([rule]).effect === 'allow').toBe(expected);
  });
});

test.each<[string, unknown]>([
  ['no rules', { name: 'p', version: '1' }],
  ['an unknown effect', { name: 'p', version: '1', rules: [{ name: 'r', effect: 'permit' }] }],
  ['a misspelt member', { name: 'p', version: '1', rules: [{ name: 'r', effect: 'allow', wen: {} }] }],
  [
    'a misspelt condition',
    {
      name: 'p',
      version: '1',
      rules: [{ name: 'r', effect: 'allow', when: { arguments: { '/a': { below: 1 } } } }],
    },
  ],
  [
    'a pointer without a slash',
    {
      name: 'p',
      version: '1',
      rules: [{ name: 'r', effect: 'allow', when: { arguments: { a: { equals: 1 } } } }],
    },
  ],
  [
    'a pattern that is a number',
    { name: 'p', version: '1', rules: [{ name: 'r', effect: 'allow', when: { action: 7 } }] },
  ],
  [
    'an empty list of patterns',
    { name: 'p', version: '1', rules: [{ name: 'r', effect: 'allow', when: { action: [] } }] },
  ],
  [
    'the same name twice',
    {
      name: 'p',
      version: '1',
      rules: [
        { name: 'r', effect: 'allow' },
        { name: 'r', effect: 'deny' },
      ],
    },
  ],
  [
    'approval rules without ask',
    { name: 'p', version: '1', rules: [{ name: 'r', effect: 'allow', approval: {} }] },
  ],
  ['allow as the default', { name: 'p', version: '1', rules: [], otherwise: 'allow' }],
])(
  '%s: the policy is refused, since a rule that is ignored may allow what it should deny',
  (_name, definition) => {
    expect(() => rulePolicy(definition as never)).toThrow(GateError);
  },
);

test('the digest changes with any change of a rule', () => {
  const digest = (effect: 'allow' | 'deny') =>
    rulePolicy({ name: 'p', version: '1', rules: [{ name: 'r', effect }] }).digest;
  expect(digest('allow')).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(digest('allow')).not.toBe(digest('deny'));
  expect(digest('allow')).toBe(digest('allow'));
});

test('a pattern matches as the regular expression with .* would', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 });
  fc.assert(
    fc.property(text, pattern, (given, glob) => {
      const expression = new RegExp(`^${glob.replaceAll('*', '.*')}$`, 's');
      expect(matchesPattern(given, glob)).toBe(expression.test(given));
    }),
    { numRuns: 5_000 },
  );
});

test('a policy file is plain JSON', () => {
  const definition = { name: 'p', version: '1', rules: [{ name: 'r', effect: 'allow' }] };
  const parsed = JSON.parse(JSON.stringify(definition)) as never;
  expect(rulePolicy(parsed).decide(request({ arguments: {} as Json }))).toEqual({
    effect: 'allow',
    rule: 'r',
  });
});
