import { hostileStrings } from '@tallystick/testing';
import { expect, it } from 'vitest';
import { docsAddress, signInForDocs } from '../../../src/site/session/to-docs.ts';

const root = new URL('https://example.com/audit/console/');

it('a sign-in leads back to the operation that was open', () => {
  const there = new URL(signInForDocs('#/API%20keys/listApiKeys'), 'https://example.com/audit/docs');
  expect(there.pathname).toBe('/audit/console/docs');
  expect(docsAddress(root, there.searchParams.get('at'))).toBe(
    'https://example.com/audit/docs#/API%20keys/listApiKeys',
  );
  expect([signInForDocs(''), docsAddress(root, null)]).toEqual([
    'console/docs',
    'https://example.com/audit/docs',
  ]);
});

it('no text leads to another page or host', () => {
  for (const text of [...hostileStrings, '//evil.example', '../../x', '?url=https://evil.example', '\n']) {
    const { origin, pathname, search } = new URL(docsAddress(root, text));
    expect([text, origin + pathname + search]).toEqual([text, 'https://example.com/audit/docs']);
  }
});
