import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { terminalWriteViolations } from '../../../scripts/terminal-writes.ts';
import { tempDir } from '../src/temp-dir.ts';

test('only the terminal of the command line writes to the terminal', () => {
  expect(terminalWriteViolations(resolve(import.meta.dirname, '../../..'))).toEqual([]);
});

test('another writer is named, with its place', () => {
  const dir = tempDir();
  const write = (path: string, content: string) => {
    const file = join(dir.path, 'packages/cli/src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  };
  write('terminal/terminal.ts', 'stdout.write(text)');
  write('main.ts', 'process.stderr');
  write('commands/emit.ts', "// stdout\nterminal.note('to stdout');\nprocessContext.stderr.write(tenant);\n");
  write('commands/show.ts', 'console.log(event);');
  write('commands/tail.ts', "import { styleText } from 'node:util';");
  expect(terminalWriteViolations(dir.path)).toEqual([
    'packages/cli/src/commands/emit.ts:3: stderr: only terminal/terminal.ts writes to the terminal',
    'packages/cli/src/commands/show.ts:1: console: only terminal/terminal.ts writes to the terminal',
    'packages/cli/src/commands/tail.ts:1: styleText: only terminal/terminal.ts writes to the terminal',
  ]);
  dir.remove();
});
