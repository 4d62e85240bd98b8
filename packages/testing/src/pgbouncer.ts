import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { postgresUser } from './postgres-binaries.ts';
import { tempDir } from './temp-dir.ts';

/** A PgBouncer in front of a server. It needs the program `pgbouncer`, which Debian's package of that name has. */
export interface PgBouncer extends AsyncDisposable {
  /** The given URL, through the pooler. */
  readonly url: string;
}

/** @param url a database with a login and its password */
export async function startPgBouncer(
  url: string,
  mode: 'session' | 'transaction' | 'statement',
): Promise<PgBouncer> {
  const target = new URL(url);
  const dir = tempDir();
  const port = await freePort();
  const logins = join(dir.path, 'logins');
  writeFileSync(logins, `"${target.username}" "${target.password}"\n`);
  const settings = join(dir.path, 'pgbouncer.ini');
  writeFileSync(
    settings,
    `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${logins}
pool_mode = ${mode}
default_pool_size = 10
`,
  );
  // PgBouncer, like PostgreSQL, refuses to run as root.
  const runAs = postgresUser();
  chmodSync(dir.path, 0o755);
  if (runAs.uid !== undefined) for (const file of [logins, settings]) chownSync(file, runAs.uid, runAs.gid!);
  const child = spawn('pgbouncer', [settings], { ...runAs, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('process up')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`pgbouncer ended at its start:\n${log}`)));
  });
  await listening;
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(port);
  return {
    url: through.href,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGQUIT');
      await ended;
      dir.remove();
    },
  };
}
