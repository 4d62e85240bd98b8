import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';

/**
 * Compiles C that is to be loaded into another process (`LD_PRELOAD`), so that what it asks of the system can be seen or
 * changed.
 *
 * @param dir where the library goes
 * @returns its path; `undefined` where there is no C compiler, or no Linux
 */
export function compilePreload(source: string, dir: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const library = join(dir, `${basename(source, '.c')}.so`);
  for (const compiler of ['cc', 'gcc', 'clang', 'tcc']) {
    try {
      execFileSync(compiler, ['-shared', '-fPIC', '-nostdlib', '-o', library, source], { stdio: 'pipe' });
      return library;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
