import { ServerError } from '@tallystick/server';
import { expect, test } from 'vitest';
import { backgroundWarnings } from '../../src/service/background-warnings.ts';

function watched() {
  const clock = { ms: 0 };
  const printed: string[] = [];
  const terminal = { warn: (text: string) => void printed.push(text) };
  const observer = backgroundWarnings(terminal, () => clock.ms);
  return { clock, printed, fail: (error: unknown) => observer.onBackgroundError?.('checkpoints', error) };
}

test("a warning names the work and says what the service's own error says", () => {
  const { printed, fail } = watched();
  fail(new ServerError('STORE_UNAVAILABLE', 'the database does not answer'));
  expect(printed).toEqual(['checkpoints: the database does not answer (STORE_UNAVAILABLE)']);
});

test.each([
  [
    'of the database',
    Object.assign(new Error('Failing row contains (jane)'), { code: '23514' }),
    'Error (23514)',
  ],
  ['of the runtime', new TypeError('jane is not a function'), 'TypeError'],
  ['that is not an error', undefined, 'undefined'],
])('the message of an error %s is not printed: it may quote an event', (_, error, named) => {
  const { printed, fail } = watched();
  fail(error);
  expect(printed).toEqual([`checkpoints: failed with ${named}`]);
});

test('an error that lasts is printed every ten seconds', () => {
  const { clock, printed, fail } = watched();
  const error = new ServerError('STORE_UNAVAILABLE', 'the database does not answer');
  for (const ms of [0, 1_000, 9_999, 10_000, 15_000]) {
    clock.ms = ms;
    fail(error);
  }
  expect(printed).toHaveLength(2);
});
