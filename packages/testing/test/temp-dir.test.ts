import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../src/temp-dir.ts';

test('a temporary directory is removed with all its files at the end of its block', () => {
  let path: string;
  {
    using dir = tempDir();
    path = dir.path;
    writeFileSync(join(path, 'file'), 'content');
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

test('two directories differ, and removing one twice does nothing', () => {
  using one = tempDir();
  using other = tempDir();
  expect(one.path).not.toBe(other.path);
  one.remove();
  one.remove();
  expect(existsSync(other.path)).toBe(true);
});

test('a large directory is removed with its folders, also twice', async () => {
  const dir = tempDir();
  mkdirSync(join(dir.path, 'project/node_modules'), { recursive: true });
  writeFileSync(join(dir.path, 'project/node_modules/file'), 'content');
  await dir.removeLarge();
  await dir.removeLarge();
  expect(existsSync(dir.path)).toBe(false);
});

test('a directory that was not removed is removed when the process exits', () => {
  const source = JSON.stringify(join(import.meta.dirname, '../src/temp-dir.ts'));
  const script = `import { tempDir } from ${source}; console.log(tempDir().path); process.exit(0);`;
  const path = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  }).trim();
  expect(path).toMatch(/tallystick-/);
  expect(existsSync(path)).toBe(false);
});
