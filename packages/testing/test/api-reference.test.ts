import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { publishedModules } from '../../../scripts/api-reference.ts';
import { readApi } from '../../../scripts/public-api.ts';
import { tempDir } from '../src/temp-dir.ts';
import { pinnedExports } from './exports.ts';

const modules = publishedModules();

describe.each(modules)('$specifier', ({ specifier, names }) => {
  test('every public name has a docstring', () => {
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter(({ doc }) => doc === '').map(({ name }) => name)).toEqual([]);
  });

  test('the reference has every name that the module has at run time', () => {
    const known = new Set(names.map(({ name }) => name));
    expect((pinnedExports[specifier] ?? []).filter((name) => !known.has(name))).toEqual([]);
  });
});

test('`npm run docs` makes a page for each module', () => {
  using directory = tempDir();
  const script = join(import.meta.dirname, '../../../scripts/api-reference.ts');
  execFileSync(process.execPath, [script, directory.path], { stdio: 'pipe' });
  expect(readdirSync(directory.path)).toHaveLength(modules.length + 1);
  const page = readFileSync(join(directory.path, 'tallystick-sdk.md'), 'utf8');
  expect(page).toContain('## createAuditEmitter\n\nCreates an emitter');
  expect(page).not.toContain('#delivery');
}, 120_000);

test('the reference has every module that can be imported', () => {
  const modulesOf = Object.keys(pinnedExports).filter((specifier) => specifier !== 'tallystick');
  expect(modules.map(({ specifier }) => specifier)).toEqual(expect.arrayContaining(modulesOf));
});

test('names are found through re-exports, overloads become one entry, and private members are left out', () => {
  using directory = tempDir();
  const files = {
    'index.ts': `
      import { later } from './c.ts';
      export { type Box as Case, b } from './b.ts';
      export * from './c.ts';
      export * as space from './d.ts';
      export { outside } from '@tallystick/event';
      export { later as renamed };
      export type { Own };
      /** Of this file. */
      interface Own { a: 1 }`,
    'b.ts': `
      /** Holds one. */
      export class Box {
        readonly #inside = 1;
        /** What it holds. */
        look(): number { return this.#inside; }
        private peek(): void {}
      }
      // no docstring
      export const b = 1;`,
    'c.ts': `
      /** Twice. */
      export function twice(of: string): string;
      export function twice(of: number): number;
      export function twice(of: never): never { return of; }
      /** Comes later. */
      export const later: number = 2;`,
    'd.ts': '/** All of d. */\nexport const d = 4;',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory.path, name), text);
  const { names } = readApi('x', join(directory.path, 'index.ts'));
  const of = (name: string) => names.find((found) => found.name === name);
  expect(names.map(({ name }) => name)).toEqual([
    ...['Case', 'b', 'twice', 'later', 'space', 'outside', 'renamed', 'Own'],
  ]);
  expect(of('Case')).toMatchObject({ doc: 'Holds one.' });
  expect(of('Case')?.signature).toBe('class Box {\n  /** What it holds. */\n  look(): number\n}');
  expect(of('b')).toMatchObject({ doc: '' });
  expect(of('twice')?.signature.split('\n')).toHaveLength(3);
  expect(of('space')).toMatchObject({ doc: 'All of d.', signature: 'const d = 4' });
  expect(of('outside')).toMatchObject({ from: '@tallystick/event' });
  expect(of('renamed')).toMatchObject({ doc: 'Comes later.', signature: 'const later: number' });
  expect(of('Own')).toMatchObject({ doc: 'Of this file.' });
});
