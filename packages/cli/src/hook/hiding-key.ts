import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configDirectory } from '../settings/config-file.ts';
import { makeDirectory } from '../settings/make-directory.ts';

/**
 * The secret that makes the salts of hidden arguments. The hooks before and after a call are two processes, and must hide an argument in
 * the same way, or the second could not recognise the action. It is made once for each user of this machine.
 */
export function hidingKey(env: Parameters<typeof configDirectory>[0]): string {
  const directory = configDirectory(env);
  const path = join(directory, 'hiding-key');
  for (;;) {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    makeDirectory(directory);
    const fresh = `${path}.${process.pid}.new`;
    writeFileSync(fresh, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    try {
      // Of two hooks that start at once, one makes the key and both read it. A crash leaves a file that nothing reads.
      linkSync(fresh, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(fresh, { force: true });
    }
  }
}
