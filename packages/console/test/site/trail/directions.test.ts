import { expect, it } from 'vitest';
import { hasDirections, withVisibleDirections } from '../../../src/site/trail/directions.ts';

it('shows characters that turn the direction of writing as escapes of the same JSON value', () => {
  const value = { note: 'a \u202Eevil\u202C b', isolated: '\u2067x\u2069', hebrew: 'שלום' };
  const json = JSON.stringify(value);
  const visible = withVisibleDirections(json);
  expect(visible).toContain('a \\u202eevil\\u202c b');
  expect([hasDirections(json), hasDirections(visible)]).toEqual([true, false]);
  expect(JSON.parse(visible)).toEqual(value);
  expect(hasDirections('שלום مرحبا 👩‍👩‍👧')).toBe(false);
});
