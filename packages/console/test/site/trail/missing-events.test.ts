import type { ProducerAccount } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import { gapsIn, missingEventsText } from '../../../src/site/trail/missing-events.ts';

const account = (service: string | null, open_numbers: number, days: readonly [number, number] = [1, 2]) =>
  ({
    ...{ service, open_numbers },
    first_seen_at: `2026-03-0${days[0]}T00:00:00.000Z`,
    last_seen_at: `2026-03-0${days[1]}T00:00:00.000Z`,
  }) as ProducerAccount;
const at = (day: number) => Date.parse(`2026-03-0${day}T12:00:00Z`);
/** Without the two characters around a name. */
const textOf = (accounts: readonly ProducerAccount[], more = false) =>
  missingEventsText({ accounts, more }).replaceAll(/[\u2068\u2069]/g, '');

it('says how many events of which services are missing, and that there are more', () => {
  expect(textOf([account('doors', 1)])).toBe('1 event of doors has not arrived');
  expect(textOf([account('doors', 1), account('doors', 2), account(null, 3)])).toBe(
    '6 events of doors and an unnamed producer have not arrived',
  );
  expect(textOf([account('a', 1), account('b', 1), account('c', 1)])).toBe(
    '3 events of a, b and others have not arrived',
  );
  expect(missingEventsText({ accounts: [account('a', 1), account('b', 1)], more: false }, 1)).toContain(
    'and others',
  );
  expect(textOf([account('a', 1)], true)).toBe('1 or more events of a and others have not arrived');
});

it('shortens a name, and keeps its direction of writing from the sentence', () => {
  const text = missingEventsText({ accounts: [account(`\u2069\u202e${'x'.repeat(200)}`, 1)], more: false });
  expect(text).toBe(`1 event of \u2068\\u2069\\u202e${'x'.repeat(22)}…\u2069 has not arrived`);
});

it('counts producers that sent something in the time', () => {
  const gaps = { accounts: [account('early', 1, [1, 2]), account('late', 1, [4, 6])], more: false };
  const found = (from?: number, to?: number) =>
    gapsIn(gaps, { from, to }).accounts.map(({ service }) => service);
  expect(found()).toEqual(['early', 'late']);
  expect(found(at(2), at(3))).toEqual([]);
  expect(found(at(1), at(1) + 1)).toEqual(['early']);
  expect(found(at(5))).toEqual(['late']);
  expect(found(undefined, at(1))).toEqual(['early']);
});
