import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { areIntegrationsInstalled, installIntegrations } from '../../../scripts/integrations.ts';
import { freePort } from '../src/free-port.ts';
import { type TempDir, tempDir } from '../src/temp-dir.ts';

let dir: TempDir;
beforeEach(() => {
  dir = tempDir();
});
afterEach(() => dir.remove());

const write = (name: string, content: string | object) =>
  writeFileSync(join(dir.path, name), typeof content === 'string' ? content : JSON.stringify(content));

/** A project with a lock file. */
function project(version: string, dependencies: Record<string, string> = {}): void {
  const manifest = { name: 'project', version, dependencies };
  const modules = Object.keys(dependencies).map((name) => [`node_modules/${name}`, { version: '1.0.0' }]);
  const packages = { '': manifest, ...Object.fromEntries(modules) };
  write('package.json', manifest);
  write('package-lock.json', { ...manifest, lockfileVersion: 3, requires: true, packages });
}

test('the libraries are installed once for each lock file', () => {
  project('1.0.0');
  expect(areIntegrationsInstalled(dir.path)).toBe(false);
  expect(installIntegrations(dir.path)).toBe(true);
  expect(areIntegrationsInstalled(dir.path)).toBe(true);
  project('1.0.1');
  expect(areIntegrationsInstalled(dir.path)).toBe(false);
  expect(installIntegrations(dir.path)).toBe(true);
  expect(areIntegrationsInstalled(dir.path)).toBe(true);
});

test('an unreachable registry is not an error; an installation that fails is one', async () => {
  write('.npmrc', `registry=http://127.0.0.1:${await freePort()}/\ncache=${join(dir.path, 'cache')}\n`);
  project('1.0.0', { 'no-such-library': '1.0.0' });
  expect(installIntegrations(dir.path)).toBe(false);
  expect(areIntegrationsInstalled(dir.path)).toBe(false);
  write('package.json', '{');
  expect(() => installIntegrations(dir.path)).toThrow(/npm ci failed in .*package\.json/s);
});
