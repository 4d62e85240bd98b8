import { ClientError } from '@tallystick/client';
import { expect, it } from 'vitest';
import { failureText } from '../../src/view/settings.ts';
import { de } from '../../src/words/de.ts';
import { en } from '../../src/words/en.ts';

// A reader in a customer's portal was told "no answer from http://127.0.0.1:39631: Failed to fetch".
it('says in the reader’s language that the service does not answer or is busy', () => {
  expect(failureText(new ClientError('UNREACHABLE', 'no answer from http://x'), de)).toBe(de.unreachable);
  expect(failureText(new ClientError('SERVICE_FAILED', 'busy', { status: 429 }), en)).toBe(en.busy);
  expect(failureText(new Error('odd'), en)).toBe('The list can’t be loaded: odd');
});

it('has each name and outcome in German that it has in English', () => {
  expect(Object.keys(de.members)).toEqual(Object.keys(en.members));
});
