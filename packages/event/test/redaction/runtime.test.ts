/** Importing the SDK on Node 20 ended with `TypeError: Map.groupBy is not a function`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../../..');

/** Every entry point of a package that can be imported without an optional library. */
function entriesOf(name: string): readonly string[] {
  const manifest = readFileSync(join(root, 'packages', name, 'package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { exports: Record<string, { 'tallystick-source'?: string }> };
  return Object.values(exports).flatMap(({ 'tallystick-source': source }) => {
    const file = source === undefined ? undefined : join(root, 'packages', name, source);
    return file !== undefined && existsSync(file) ? [file] : [];
  });
}

/** Imports modules one after the other where the function does not exist, as in Node 20, and prints how each import ends. */
function importAll(files: readonly string[]): readonly string[] {
  const script = `delete Map.groupBy;
    for (const file of ${JSON.stringify(files)})
      console.log(await import(file).then(() => 'imported', (error) => error.name + ': ' + error.message));`;
  const flags = ['--conditions=tallystick-source', '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
  expect(stdout, stderr).not.toBe('');
  return stdout.trim().split('\n');
}

const message = `Error: Tallystick needs Node.js 22.22 or newer, this is ${process.versions.node} (NODE_TOO_OLD)`;

describe('on a runtime that is too old', () => {
  test.each(['sdk', 'server'])('each entry point of %s says what is needed, or needs nothing', (name) => {
    const outcomes = importAll(entriesOf(name));
    // The first one is the entry point of the package itself.
    expect(outcomes[0]).toBe(message);
    expect(new Set(outcomes)).toEqual(new Set([message, 'imported']));
  });
});
