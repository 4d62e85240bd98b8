import { execFileSync } from 'node:child_process';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';

// On Node 20 an import ended with "No such built-in module: node:sqlite", which says nothing about what to do.
test('a Node.js without SQLite gets an error that names the version it needs', () => {
  using directory = tempDir();
  const program = `
    import { embedded } from '@tallystick/server/embedded';
    await embedded({ directory: ${JSON.stringify(directory.path)} }).catch(({ code, message }) => console.log(code, message));
  `;
  const flags = [
    '--no-experimental-sqlite',
    '--no-warnings',
    '--conditions=tallystick-source',
    '--input-type=module',
  ];
  const stdout = execFileSync(process.execPath, [...flags, '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect(stdout).toBe(
    `CONFIG_INVALID this needs Node.js 22.22 or later, and it runs on ${process.versions.node}\n`,
  );
});
