import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { installIntegrations, integrations } from './integrations.ts';

const root = resolve(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const fix = process.argv.includes('--fix') ? ['--fix'] : [];

const CHECKS: Record<string, string[]> = {
  types: [bin('tsc'), '-p', 'tsconfig.check.json'],
  'lint, format': [bin('biome'), 'check', '--error-on-warnings', ...fix, '.'],
  'dead code': [bin('knip'), '--no-progress', '--no-config-hints'],
  'import edges': [process.execPath, 'scripts/import-edges.ts'],
  'lock files': [process.execPath, 'scripts/lockfile.ts'],
};
// Their libraries have types, so they must be installed first.
if (installIntegrations()) CHECKS.integrations = [bin('tsc'), '-p', integrations];
else console.log('*** NOT CHECKED: types in e2e/integrations: the npm registry can not be reached. ***');

const results = await Promise.all(Object.entries(CHECKS).map(([name, command]) => run(name, command)));

for (const { name, passed, output } of results) {
  if (!passed) console.log(`--- ${name}\n${output.trim()}\n`);
}
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name.padEnd(13)} ${seconds.toFixed(1)} s`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

async function run(name: string, [command, ...args]: string[]) {
  const start = performance.now();
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const child = spawn(command!, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...color },
  });
  const [stdout, stderr, passed] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<boolean>((settle) => {
      child.once('error', () => settle(false));
      child.once('close', (code) => settle(code === 0));
    }),
  ]);
  return { name, passed, output: stdout + stderr, seconds: (performance.now() - start) / 1_000 };
}
