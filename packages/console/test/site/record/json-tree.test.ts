import { hostileStrings } from '@tallystick/testing';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { expect, it } from 'vitest';
import { JsonTree } from '../../../src/site/record/json-tree.tsx';

const html = (value: unknown) => render(h(JsonTree, { value }));

it('shows every hostile text as text, as a value and as a name', () => {
  const value = Object.fromEntries(
    hostileStrings.map((text) => [text, { [text]: { [text]: [text, { text }] } }]),
  );
  const shown = html(value);
  const tags = new Set([...shown.matchAll(/<\/?([a-z]+)/gi)].map(([, name]) => name));
  expect([...tags].sort()).toEqual([
    'button',
    'dd',
    'details',
    'div',
    'dl',
    'dt',
    'li',
    'span',
    'summary',
    'ul',
  ]);
  const attributes = new Set(
    [...shown.matchAll(/<[a-z]+([^>]*)>/g)].flatMap(([, all]) => all!.match(/[\w-]+(?==)/g) ?? []),
  );
  expect([...attributes].sort()).toEqual(['class', 'data-nested', 'type']);
});

it('tells empty things, times and scalars apart', () => {
  expect(html({})).toContain('empty');
  expect(html('')).toContain('empty text');
  expect(html(null)).toContain('null');
  expect(html('2026-11-29T12:00:00.000Z')).toContain('datetime="2026-11-29T12:00:00.000Z"');
});

it('cuts long texts and says how long they are', () => {
  const shown = html('a'.repeat(5_000));
  expect(shown.length).toBeLessThan(1_000);
  expect(shown).toContain((5_000).toLocaleString());
});
