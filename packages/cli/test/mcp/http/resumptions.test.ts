import { expect, test } from 'vitest';
import { Resumptions } from '../../../src/mcp/http/resumptions.ts';

test('an event belongs to the request of its stream, in one session', () => {
  const resumptions = new Resumptions<{ readonly id: number }>();
  const [one, two] = [{ id: 1 }, { id: 2 }];
  resumptions.sent('s', 'e1', one);
  resumptions.sent('s', 'e2', two);
  resumptions.sent('t', 'e1', two);
  expect(resumptions.find('s', 'e1')).toBe(one);
  expect(resumptions.find('t', 'e1')).toBe(two);
  expect(resumptions.find('t', 'e2')).toBeUndefined();
  resumptions.ended(two);
  expect(resumptions.has(two)).toBe(false);
  expect(resumptions.find('t', 'e1')).toBeUndefined();
  expect(resumptions.has(one)).toBe(true);
});

test('the last events of the last requests are remembered', () => {
  const resumptions = new Resumptions<{ readonly id: number }>();
  const first = { id: 0 };
  for (let n = 0; n < 65; n++) resumptions.sent('s', `e${n}`, first);
  expect(resumptions.find('s', 'e0')).toBeUndefined();
  expect(resumptions.find('s', 'e64')).toBe(first);
  for (let id = 1; id <= 2_000; id++) resumptions.sent('s', `r${id}`, { id });
  expect(resumptions.has(first)).toBe(false);
  expect(resumptions.find('s', 'e64')).toBeUndefined();
  expect(resumptions.find('s', 'r1')).toEqual({ id: 1 });
});
