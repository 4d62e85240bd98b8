import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const integrations = resolve(import.meta.dirname, '../e2e/integrations');

/** What npm prints if it can't reach its registry, as opposed to a lock file that does not fit. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|EAI_FAIL|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENETDOWN|ERR_SOCKET_TIMEOUT|E50[234])\b/;

/** True if the libraries that the lock file of e2e/integrations names are in its node_modules. */
export function areIntegrationsInstalled(folder: string = integrations): boolean {
  const stamp = stampOf(folder);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digestOf(folder);
}

/**
 * Installs the libraries of e2e/integrations with `npm ci`, unless they are installed already.
 *
 * @returns false if npm can't reach its registry
 * @throws with the output of npm if the installation fails for another reason
 */
export function installIntegrations(folder: string = integrations): boolean {
  if (areIntegrationsInstalled(folder)) return true;
  const { status, stdout, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    // One retry after a second, so that a developer who is offline does not wait for minutes.
    env: { ...process.env, npm_config_fetch_retries: '1', npm_config_fetch_retry_mintimeout: '1000' },
  });
  if (status === 0) {
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    writeFileSync(stampOf(folder), digestOf(folder));
    return true;
  }
  const output = `${stdout}${stderr}`;
  if (UNREACHABLE.test(output)) return false;
  throw new Error(`npm ci failed in ${folder}:\n${output}`);
}

/** Written after a complete installation, and removed with node_modules. */
function stampOf(folder: string): string {
  return join(folder, 'node_modules/.installed-lockfile');
}

function digestOf(folder: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
}
