import { expect, test } from 'vitest';
import { ToolDefinitions } from '../../src/mcp/tool-definitions.ts';

const list = (...tools: unknown[]) => ({ tools });
const changed = (definitions: ToolDefinitions, session: string, result: unknown) => [
  ...definitions.learn(session, result),
];

test('a tool has changed if its definition is another one than before, in the same session', () => {
  const definitions = new ToolDefinitions();
  expect(changed(definitions, 's', list({ name: 'a', description: '1' }, { name: 'b' }))).toEqual([]);
  expect(changed(definitions, 's', list({ description: '1', name: 'a' }))).toEqual([]);
  expect(changed(definitions, 't', list({ name: 'a', description: '2' }))).toEqual([]);
  expect(changed(definitions, 's', list({ name: 'a', description: '2' }, { name: 'c' }))).toEqual(['a']);
  expect(changed(definitions, 's', list({ name: 'a', description: '2' }))).toEqual([]);
  expect(changed(definitions, 's', list({ name: 'a', description: '\ud800' }))).toEqual(['a']);
});

test('what is no list of tools changes nothing', () => {
  const definitions = new ToolDefinitions();
  for (const wrong of [undefined, null, 'x', {}, { tools: 'x' }, list(null, 7, {}, { name: 7 })])
    expect(changed(definitions, 's', wrong)).toEqual([]);
});

test('the sessions that were listed last are remembered', () => {
  const definitions = new ToolDefinitions();
  definitions.learn('first', list({ name: 'a' }));
  definitions.learn('second', list({ name: 'a' }));
  for (let n = 0; n < 998; n++) definitions.learn(`s${n}`, list());
  definitions.learn('first', list());
  definitions.learn('one more', list());
  expect(changed(definitions, 'first', list({ name: 'a', x: 1 }))).toEqual(['a']);
  expect(changed(definitions, 'second', list({ name: 'a', x: 1 }))).toEqual([]);
});
