import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FolderRules, folderEdgeViolations } from '../../../scripts/folder-edges.ts';
import { type TempDir, tempDir } from '../src/temp-dir.ts';

test('the folders inside the packages of this repository follow their rules', () => {
  expect(folderEdgeViolations(resolve(import.meta.dirname, '../../..'))).toEqual([]);
});

describe('in another tree', () => {
  let dir: TempDir;
  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(() => dir.remove());

  function write(path: string, content: string): void {
    const file = join(dir.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  const violations = (server?: FolderRules) =>
    folderEdgeViolations(dir.path, server === undefined ? {} : { server });
  /** The imports that break the rules. In these trees they close cycles too, which are reported apart. */
  const forbiddenImports = (server: FolderRules) =>
    violations(server).filter((line) => !line.includes(': import cycle '));

  describe('the rules of a package', () => {
    const rules: FolderRules = {
      store: [],
      chain: ['store'],
      'ingest/admit': ['chain'],
      'ingest/http': ['ingest/admit', 'http'],
      http: ['store'],
      'app.ts': '*',
    };
    beforeEach(() => {
      write('packages/server/src/store/database.ts', '');
      write('packages/server/src/chain/append.ts', `import '../store/database.ts';`);
      write(
        'packages/server/src/ingest/admit/admit.ts',
        `import '../../chain/append.ts'; import './limits.ts';`,
      );
      write('packages/server/src/ingest/admit/limits.ts', `import '@tallystick/event'; import 'node:fs';`);
      write(
        'packages/server/src/ingest/http/route.ts',
        `import '../admit/admit.ts'; import '../../http/server.ts';`,
      );
      write('packages/server/src/http/server.ts', `import { x } from '../store/database.ts';`);
      write('packages/server/src/app.ts', `import './http/server.ts'; import './ingest/http/route.ts';`);
    });

    test('find nothing if each folder imports what it may', () => {
      expect(violations(rules)).toEqual([]);
    });

    test.each([
      ['a plain import', `import '../http/server.ts';`],
      ['a type import', `import type { X } from '../http/server.ts';`],
      ['a re-export', `export * from '../http/server.ts';`],
      ['a dynamic import', `await import('../http/server.ts');`],
    ])('%s against them is found', (_, source) => {
      write('packages/server/src/store/other.ts', `\n${source}`);
      expect(forbiddenImports(rules)).toEqual([
        'packages/server/src/store/other.ts:2: store must not import http (allowed: nothing)',
      ]);
    });

    test('apply to a file with the longest key that contains it', () => {
      write('packages/server/src/ingest/admit/wrong.ts', `import '../http/route.ts';`);
      expect(forbiddenImports(rules)).toEqual([
        'packages/server/src/ingest/admit/wrong.ts:1: ingest/admit must not import ingest/http (allowed: chain)',
      ]);
    });

    test('allow all keys inside a folder that they name', () => {
      write(
        'packages/server/src/http/all.ts',
        `import '../ingest/admit/admit.ts'; import '../chain/append.ts';`,
      );
      const wider = { ...rules, http: ['ingest', 'store'] };
      expect(forbiddenImports(wider)).toEqual([
        'packages/server/src/http/all.ts:1: http must not import chain (allowed: ingest, store)',
      ]);
    });

    test('must cover every file, and name nothing that does not exist', () => {
      write('packages/server/src/metrics/metrics.ts', '');
      write('packages/server/src/index.ts', '');
      expect(violations({ ...rules, trail: ['stores'] })).toEqual([
        'packages/server/src/index.ts: say in scripts/folder-edges.ts what it may import',
        'packages/server/src/metrics/metrics.ts: say in scripts/folder-edges.ts what it may import',
        'packages/server/src/trail: has a rule but does not exist',
        'packages/server/src/trail: its rule allows "stores", which has no rule of its own',
      ]);
    });
  });

  describe('import cycles', () => {
    test('between two files are found', () => {
      write('packages/log/src/tree/a.ts', `import './b.ts';`);
      write('packages/log/src/tree/b.ts', `\nimport type { A } from './a.ts';`);
      expect(violations()).toEqual([
        'packages/log/src/tree: import cycle a.ts → b.ts → a.ts (tree/a.ts:1 imports tree/b.ts; tree/b.ts:2 imports tree/a.ts)',
      ]);
    });

    test('between two folders are found, even if no file is on a cycle', () => {
      write('packages/log/src/note/a.ts', `import '../tree/a.ts';`);
      write('packages/log/src/tree/a.ts', '');
      write('packages/log/src/tree/b.ts', `import '../note/b.ts';`);
      write('packages/log/src/note/b.ts', '');
      expect(violations()).toEqual([
        'packages/log/src: import cycle note → tree → note (note/a.ts:1 imports tree/a.ts; tree/b.ts:1 imports note/b.ts)',
      ]);
    });

    test('are each reported once, by a shortest cycle', () => {
      write('packages/log/src/a.ts', `import './b.ts'; import './c.ts';`);
      write('packages/log/src/b.ts', `import './a.ts'; import './c.ts';`);
      write('packages/log/src/c.ts', `import './a.ts';`);
      write('packages/log/src/d.ts', `import './a.ts';`);
      expect(violations().map((violation) => violation.replace(/ \(.*/, ''))).toEqual([
        'packages/log/src: import cycle a.ts → b.ts → a.ts',
        'packages/log/src: import cycle c.ts → a.ts → c.ts',
      ]);
    });

    test('do not arise if a folder imports files of its parent, nor from other packages, nor from tests', () => {
      write('packages/log/src/index.ts', `import './tree/a.ts';`);
      write('packages/log/src/tree/a.ts', `import '../errors.ts';`);
      write('packages/log/src/errors.ts', '');
      write('packages/log/test/a.ts', `import './b.ts';`);
      write('packages/log/test/b.ts', `import './a.ts';`);
      write('packages/event/src/a.ts', `import '@tallystick/log';`);
      expect(violations()).toEqual([]);
    });
  });
});
