import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importEdgeViolations } from '../../../scripts/import-edges.ts';
import { type TempDir, tempDir } from '../src/temp-dir.ts';

test('this repository follows its import rules', () => {
  expect(importEdgeViolations(resolve(import.meta.dirname, '../../..'))).toEqual([]);
});

describe('in another tree', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = tempDir();
    for (const key of [
      'event',
      'protocol',
      'log',
      'verify',
      'sdk',
      'client',
      'server',
      'console',
      'viewer',
      'testing',
    ])
      manifest(key);
    write('packages/cli/package.json', JSON.stringify({ name: 'tallystick' }));
    write('examples/soc/package.json', JSON.stringify({ name: '@tallystick/example-soc' }));
  });
  afterEach(() => dir.remove());

  function write(path: string, content: string): void {
    const file = join(dir.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  function manifest(key: string, more: object = {}): void {
    write(`packages/${key}/package.json`, JSON.stringify({ name: `@tallystick/${key}`, ...more }));
  }

  const violations = () => importEdgeViolations(dir.path);

  test('the allowed imports, and all imports in tests, are accepted', () => {
    manifest('log', {
      dependencies: { '@tallystick/event': '*' },
      devDependencies: { '@tallystick/testing': '*' },
    });
    write('packages/log/src/a.ts', `import { x } from '@tallystick/event'; import { y } from './b.ts';`);
    write(
      'packages/server/src/a.ts',
      `import '@tallystick/log'; import type { E } from '@tallystick/event/soc';`,
    );
    write('packages/server/src/b.ts', `import '@tallystick/verify'; import '@tallystick/protocol';`);
    write('packages/client/src/a.ts', `import '@tallystick/protocol';`);
    write('packages/console/src/a.ts', `import '@tallystick/verify'; import '@tallystick/client';`);
    write('packages/cli/src/a.ts', `import '@tallystick/sdk'; import('@tallystick/server');`);
    write('packages/sdk/test/a.test.ts', `import '../src/a.ts'; import '@tallystick/testing';`);
    write('examples/soc/src/a.ts', `import '@tallystick/sdk/kafka';`);
    write('e2e/a.test.ts', `import '@tallystick/testing'; import '@tallystick/server';`);
    write(
      'packages/log/src/text.ts',
      `// import '@tallystick/server'\nexport const s = "import '@tallystick/sdk'";`,
    );
    expect(violations()).toEqual([]);
  });

  test.each([
    ['a plain import', 'log', `import { x } from '@tallystick/sdk';`, '@tallystick/sdk (allowed: event)'],
    ['a type import', 'verify', `import type { S } from '@tallystick/server';`, '@tallystick/server'],
    ['an inline type', 'verify', `let s: import('@tallystick/server').S;`, '@tallystick/server'],
    ['a dynamic import', 'sdk', `await import('@tallystick/server/embedded');`, '@tallystick/server'],
    [
      'a re-export',
      'event',
      `export * from '@tallystick/log';`,
      '@tallystick/log (allowed: none of the others)',
    ],
    ['a require', 'server', `require('tallystick');`, 'tallystick'],
    ['the log, by the client', 'client', `import '@tallystick/log';`, '@tallystick/log (allowed: protocol)'],
    ['the server, by its protocol', 'protocol', `import '@tallystick/server';`, '@tallystick/server'],
    ['testing in shipped code', 'cli', `import '@tallystick/testing';`, '@tallystick/testing'],
  ])('%s that the rules do not allow is found', (_, key, source, named) => {
    write(`packages/${key}/src/a.ts`, `\n${source}`);
    expect(violations()).toEqual([expect.stringContaining(`packages/${key}/src/a.ts:2: `)]);
    expect(violations()[0]).toContain(`must not import ${named}`);
  });

  test('an example may import the SDK, the client, the embedded server and two parts of the command line only, with or without a package.json', () => {
    write('examples/soc/src/a.ts', `import '@tallystick/event';`);
    write('examples/plain/a.ts', `import '@tallystick/server';`);
    write('examples/plain/b.ts', `import '@tallystick/server/embedded'; import '@tallystick/client';`);
    const allowed = '(allowed: sdk, client, server/embedded, cli/demo/story-parts, cli/program)';
    expect(violations()).toEqual([
      `examples/plain/a.ts:1: plain must not import @tallystick/server ${allowed}`,
      `examples/soc/src/a.ts:1: @tallystick/example-soc must not import @tallystick/event ${allowed}`,
    ]);
  });

  test('one file of the demo may import the broker of the tests, and nothing else of them', () => {
    write('examples/soc/src/demo/broker.ts', `import '@tallystick/testing/kafka';`);
    expect(violations()).toEqual([]);
    write('examples/soc/src/demo/broker.ts', `import '@tallystick/testing';`);
    write('examples/soc/src/demo/main.ts', `import '@tallystick/testing/kafka';`);
    expect(violations()).toEqual([
      expect.stringMatching(/^examples\/soc\/src\/demo\/broker.ts:1: .* must not import/),
      expect.stringMatching(/^examples\/soc\/src\/demo\/main.ts:1: .* must not import/),
    ]);
  });

  test('a dependency in package.json that the rules do not allow is found', () => {
    manifest('verify', { peerDependencies: { '@tallystick/server': '*' } });
    expect(violations()).toEqual([
      expect.stringMatching(/^packages\/verify\/package.json: .*@tallystick\/server/),
    ]);
  });

  test.each([
    ['by path, from shipped code', 'packages/log/src/a.ts', `import '../../event/src/b.ts';`],
    ['by path, from a test', 'packages/log/test/a.test.ts', `import '../../event/src/b.ts';`],
    ['by path, from outside', 'e2e/a.test.ts', `import '../packages/log/src/b.ts';`],
    ['by name', 'bench/a.ts', `import '@tallystick/log/src/b.ts';`],
    ['by name, into the build', 'packages/log/src/a.ts', `import '@tallystick/event/dist/b.js';`],
  ])('reaching into a package %s is found', (_, file, source) => {
    write(file, source);
    expect(violations()).toEqual([expect.stringMatching(`^${file}:1: reaches into @tallystick/`)]);
  });

  test('shipped code that leaves its package by a path is found; a test may do so', () => {
    write('packages/log/src/a.ts', `import '../../../scripts/a.ts';`);
    write('packages/log/test/a.test.ts', `import '../../../scripts/a.ts';`);
    expect(violations()).toEqual([
      'packages/log/src/a.ts:1: leaves its package by a path (../../../scripts/a.ts)',
    ]);
  });

  test('names of folders and packages that say nothing are found; names of files and of other modules are not checked', () => {
    write('packages/log/src/utils/a.ts', '');
    write('e2e/helpers/a.ts', '');
    write('packages/event/src/taxonomy/core.ts', '');
    write('packages/event/node_modules/x/core/a.ts', '');
    manifest('sdk', { name: '@tallystick/common' });
    expect(violations()).toEqual([
      'e2e/helpers: "helpers" says nothing about what is inside',
      'packages/log/src/utils: "utils" says nothing about what is inside',
      `packages/sdk: a package can't be named "@tallystick/common"`,
    ]);
  });

  test('a package without a rule is an error', () => {
    manifest('novel');
    expect(violations).toThrow('say in scripts/import-edges.ts what this package may import');
  });
});
