import { ClientError } from '@tallystick/client';
import { actorTypes, outcomeStatuses, severities } from '@tallystick/event';
import { type ProblemDocument, problemKindOf, problemTypeOf } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { failureText, reasonOf } from '../../src/view/settings.ts';
import { de } from '../../src/words/de.ts';
import { en } from '../../src/words/en.ts';

/** An answer of the service. `reason`: the code in its list of errors. */
function refused(code: string, reason?: string, errors?: unknown): ClientError {
  const problem = {
    ...{ type: problemTypeOf(code), ...problemKindOf(code), code, detail: 'what the service says' },
    errors: errors ?? (reason && [{ code: reason, pointer: '/q', message: 'what the service says' }]),
  } as ProblemDocument;
  return new ClientError('REFUSED', 'answered', { status: problem.status, problem });
}

// A reader in a customer's portal was told "no answer from http://127.0.0.1:39631: Failed to fetch".
it('says in the reader’s language that the service does not answer or is busy', () => {
  expect(failureText(new ClientError('UNREACHABLE', 'no answer from http://x'), de)).toBe(de.unreachable);
  expect(failureText(new ClientError('SERVICE_FAILED', 'busy', { status: 429 }), en)).toBe(en.busy);
  expect(failureText(new Error('odd'), en)).toBe('The list can’t be loaded: odd');
});

// In the German viewer, what the service said about a request was English.
it('says in German what went wrong by its code, and otherwise what the service says', () => {
  expect(reasonOf(refused('PARAMETER_INVALID', 'SEARCH_STAR_MISPLACED'), de)).toBe(
    'Ein * steht nur am Ende eines Wortes.',
  );
  expect(reasonOf(refused('PARAMETER_INVALID', 'PARAMETER_INVALID'), de)).toMatch(/^Die Anfrage enthält/);
  expect(reasonOf(refused('CHAIN_STOPPED'), de)).toMatch(/angehalten/);
  expect(failureText(refused('FORBIDDEN'), de)).toBe(
    'Die Liste kann nicht geladen werden: Dazu sind Sie nicht berechtigt.',
  );
  expect(reasonOf(new ClientError('RESPONSE_INVALID', 'is HTML'), de)).toMatch(/^Die Antwort kommt nicht/);
  for (const words of [de, en])
    expect(reasonOf(refused('CODE_OF_A_LATER_VERSION'), words)).toBe('what the service says');
  expect(reasonOf(refused('FORBIDDEN'), en)).toBe('what the service says');
});

it('trusts nothing in a problem that a proxy wrote but that its code is a text', () => {
  for (const errors of ['text', {}, [null], [{ code: 7 }], [{ code: '__proto__' }], []])
    expect(reasonOf(refused('toString', undefined, errors), de)).toBe('what the service says');
});

it('has each name, outcome and value in German that it has in English', () => {
  expect(Object.keys(de.members)).toEqual(Object.keys(en.members));
  expect(Object.keys(de.outcomes).sort()).toEqual([...outcomeStatuses].sort());
  expect(Object.keys(de.values.severity!)).toEqual(severities);
  expect(Object.keys(de.values.actor_type!)).toEqual(actorTypes);
});
