import { describe, expect, test } from 'vitest';
import { parseTenantTemplate } from '../../src/import/tenant-template.ts';

const source = {
  recipientAccountId: '123456789012',
  objectRef: { namespace: 'payments' },
  annotations: { 'example.com/team': 'ledger' },
  count: 7,
  empty: '',
};

test.each([
  ['acme', 'acme'],
  ['{recipientAccountId}', '123456789012'],
  ['aws-{recipientAccountId}', 'aws-123456789012'],
  ['{objectRef.namespace}@{count}', 'payments@7'],
  ['{/annotations/example.com~1team}', 'ledger'],
  ['{objectRef.name|none}', 'none'],
  ['{empty|none}', 'none'],
])('%s', (template, tenant) => {
  expect(parseTenantTemplate(template)(source)).toBe(tenant);
});

describe('events that have no such tenant', () => {
  test.each([
    ['{objectRef.name}', 'has no objectRef.name, which --tenant needs'],
    ['{toString}', 'has no toString'],
    ['{objectRef}', 'has no objectRef'],
    ['{/annotations/example.com~1team}/x', 'does not give a tenant id'],
  ])('%s', (template, message) => {
    expect(() => parseTenantTemplate(template)(source)).toThrow(message);
  });
});

test.each(['', 'a b', '-x', '{', 'a}b', '{}', '{a..b}', '{/a~2b}', '{a{b}}'])(
  '%j is no template',
  (template) => {
    expect(() => parseTenantTemplate(template)).toThrow();
  },
);
