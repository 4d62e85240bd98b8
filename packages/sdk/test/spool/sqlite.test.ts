import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a Node.js without SQLite gets an error that names the version that the spool needs', () => {
  const program = `
    import { openSqlite } from ${JSON.stringify(new URL('../../src/spool/sqlite.ts', import.meta.url).href)};
    try { openSqlite(':memory:'); } catch ({ code, message }) { console.log(code, message); }
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
    `CONFIG_INVALID the spool needs Node.js 22.22 or later, and it runs on ${process.versions.node}\n`,
  );
});
