import { expect, it } from 'vitest';
import { readerName, type Session } from '../../../src/site/session/session.ts';

const named = (session: Partial<Session>) => readerName({ scopes: [], csrf: '', ...session });

it('calls a reader by the name of the key, or by the login', () => {
  expect(named({ name: 'Maria', subject: 'maria' })).toBe('Maria');
  expect(named({ subject: 'https://id.example.com#maria' })).toBe('maria');
  expect(named({ subject: 'maria' })).toBe('maria');
  expect(named({ subject: 'https://id.example.com#' })).toBe('https://id.example.com#');
  expect(named({ name: '' })).not.toBe('');
  expect(named({})).not.toBe('');
});
